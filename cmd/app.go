package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/penstock/penstock/pipeline"
)

// app is one call of a program.
type app struct {
	program Program
	name    string
	stdin   io.Reader
	stdout  *output
	stderr  io.Writer

	own     *pflag.FlagSet // the program's own flags
	started bool           // a command was found, and its flags and arguments parsed
	failed  *cobra.Command // where it went wrong
}

func (a *app) execute(ctx context.Context, args []string) int {
	root, err := a.root()
	if err == nil {
		root.SetArgs(append([]string{}, args...)) // nil would mean those of the process
		root.SetIn(a.stdin)
		root.SetOut(a.stdout)
		root.SetErr(a.stderr)
		a.failed, err = root.ExecuteContextC(ctx)
		if err != nil && !a.started {
			err = wrongUse("%w", err)
		}
		err = errors.Join(signalled(ctx, err), a.stdout.err)
	}
	a.report(err)
	return exitCode(err)
}

// report says in one sentence what went wrong, and after a wrong use how the
// command is used.
func (a *app) report(err error) {
	if err == nil {
		return
	}
	fmt.Fprintf(a.stderr, "%s: %s\n", a.name, sentence(err))
	if exitCode(err) == ExitWrongUse && a.failed != nil && !isBuildError(err) {
		usage := a.failed.UseLine()
		if a.failed.DisableFlagsInUseLine {
			usage += " [command]"
		}
		fmt.Fprintf(a.stderr, "Usage: %s\nMore:  %s --help\n", usage, a.failed.CommandPath())
	}
}

// sentence brings an error into one line; only the list of a pipeline's
// mistakes has a line for each.
func sentence(err error) string {
	if isBuildError(err) {
		return err.Error()
	}
	return strings.Join(strings.Fields(printable(err.Error())), " ")
}

func isBuildError(err error) bool {
	_, is := errors.AsType[*pipeline.BuildError](err)
	return is
}

// root makes the tree of commands.
func (a *app) root() (*cobra.Command, error) {
	root := &cobra.Command{
		Use:           a.name,
		Short:         a.program.Short,
		Long:          a.program.Long,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	if root.Short == "" {
		root.Short = "Run the pipelines of " + a.name + " and look after them"
	}
	if root.Long == "" {
		root.Long = root.Short + "."
	}
	// A command that only holds others is not shown as one to run.
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if and .Runnable (not .DisableFlagsInUseLine)}}", 1))
	root.SetHelpTemplate(strings.TrimRight(root.HelpTemplate(), "\n") + "\n" + environmentHelp)
	root.PersistentFlags().String(configFlag, "", "`file` of settings, in YAML: the names of flags and their values")
	if a.program.Pipelines == nil {
		root.Example = a.example("{} broker", "{} poison ls --brokers kafka-1:9092")
		root.AddCommand(a.broker(), a.topics(), a.trigger(), a.tail(), a.poison(), a.schemas(), a.version())
		a.needsSubcommand(root)
	} else {
		root.Long += "\n\nWithout a command it runs the pipelines, as the command run does."
		root.Example = a.example("{}", "{} run --drain", "{} --brokers kafka-1:9092,kafka-2:9092", "{} poison ls")
		a.makeRun(root)
		root.Args = noSuchCommand
		root.AddCommand(a.run(), a.topics(), a.topology(), a.trigger(), a.tail(), a.lag(), a.poison(), a.schemas(), a.broker(), a.config(), a.version())
	}
	root.Long += "\n\n" + exitHelp
	if err := a.addCommands(root); err != nil {
		return root, err
	}
	if err := a.addOwnFlags(root); err != nil {
		return root, err
	}
	completeChoices(root)
	return root, nil
}

// does makes do what the command does, after its flags were read from the
// environment and from a file too.
func (a *app) does(c *cobra.Command, do func(ctx context.Context, args []string) error) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		a.started = true
		if err := readEnvironment(c.Flags()); err != nil {
			return err
		}
		if err := readConfigFile(c); err != nil {
			return err
		}
		return do(c.Context(), args)
	}
	return c
}

// needsSubcommand makes a command that only holds others.
func (a *app) needsSubcommand(c *cobra.Command) *cobra.Command {
	c.Args = noSuchCommand
	c.DisableFlagsInUseLine = true // usage and report know it by this
	return a.does(c, func(context.Context, []string) error {
		var names []string
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		return wrongUse("which command of %s? There are: %s", c.CommandPath(), strings.Join(names, ", "))
	})
}

// noSuchCommand is cobra's answer to what is no command, which it gives for the
// root alone.
func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q for %q", args[0], c.CommandPath())
	c.SuggestionsMinimumDistance = 2 // cobra's own default, which it sets elsewhere
	if like := c.SuggestionsFor(args[0]); len(like) > 0 {
		text += ": did you mean " + strings.Join(like, " or ") + "?"
	}
	return errors.New(text)
}

// example formats the examples of a command; {} is the program.
func (a *app) example(lines ...string) string {
	return "  " + strings.ReplaceAll(strings.Join(lines, "\n  "), "{}", a.name)
}
