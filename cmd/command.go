package cmd

import (
	"context"
	"io"
	"regexp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Command is a command of a program's own, beside those that every program has.
type Command struct {
	// Name is the word by which it is called, of lower-case letters, digits and dashes,
	// beginning with a letter. It must be none of the program's other commands.
	Name string

	// Short says in one line what it does, and Long at length. Long defaults to
	// Short.
	Short, Long string

	// Examples are calls of it, without the name of the program. Default to one by
	// its name alone.
	Examples []string

	// Flags adds its flags. They are read from the environment and from the file of
	// --config too. Defaults to none.
	Flags func(*pflag.FlagSet)

	// Run does it, with the arguments that are no flags. An error is told in one
	// sentence, and the program ends with ExitFailed; when ctx ends it is to stop.
	Run func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

// commandName is the form of a command's name: one word on every shell, and no flag.
var commandName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// addCommands adds the program's own commands.
func (a *app) addCommands(root *cobra.Command) error {
	taken := map[string]bool{"help": true, "completion": true}
	for _, c := range root.Commands() {
		taken[c.Name()] = true
	}
	for _, own := range a.program.Commands {
		switch {
		case own.Name == "":
			return wrongUse("a command of the program's own has no Name")
		case !commandName.MatchString(own.Name):
			return wrongUse("the program's own command %q: a name has lower-case letters, digits and dashes, and begins with a letter", own.Name)
		case taken[own.Name]:
			return wrongUse("the program's own command %q is there already: the program has to give its own another name", own.Name)
		case own.Run == nil:
			return wrongUse("the program's own command %q has no Run", own.Name)
		}
		taken[own.Name] = true
		c, err := a.command(own)
		if err != nil {
			return err
		}
		root.AddCommand(c)
	}
	return nil
}

func (a *app) command(own Command) (*cobra.Command, error) {
	c := &cobra.Command{Use: own.Name, Short: own.Short, Long: own.Long}
	if c.Long == "" {
		c.Long = own.Short
	}
	calls := own.Examples
	if len(calls) == 0 {
		calls = []string{own.Name}
	}
	lines := make([]string, len(calls))
	for i, call := range calls {
		lines[i] = "{} " + call
	}
	c.Example = a.example(lines...)
	a.does(c, func(ctx context.Context, args []string) error { return own.Run(ctx, args, a.stdout, a.stderr) })
	if own.Flags == nil {
		return c, nil
	}
	flags := pflag.NewFlagSet(own.Name, pflag.ContinueOnError)
	own.Flags(flags)
	return c, addFlags(c, flags)
}
