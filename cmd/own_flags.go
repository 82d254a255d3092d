package cmd

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ownFlags marks the commands that build the pipelines and so take the
// program's own flags.
const ownFlags = "penstock/own-flags"

// buildsPipelines marks c as a command that takes the program's own flags.
func (a *app) buildsPipelines(c *cobra.Command) *cobra.Command {
	if c.Annotations == nil {
		c.Annotations = map[string]string{}
	}
	c.Annotations[ownFlags] = ""
	return c
}

// addOwnFlags adds the program's own flags to the commands that are marked. One
// flag of the program is the same flag in all of them.
func (a *app) addOwnFlags(root *cobra.Command) error {
	a.own = pflag.NewFlagSet(a.name, pflag.ContinueOnError)
	if a.program.Flags == nil {
		return nil
	}
	a.program.Flags(a.own)
	var add func(c *cobra.Command) error
	add = func(c *cobra.Command) error {
		if _, marked := c.Annotations[ownFlags]; marked {
			if err := addFlags(c, a.own); err != nil {
				return err
			}
		}
		for _, sub := range c.Commands() {
			if err := add(sub); err != nil {
				return err
			}
		}
		return nil
	}
	return add(root)
}

func addFlags(c *cobra.Command, own *pflag.FlagSet) error {
	var err error
	own.VisitAll(func(f *pflag.Flag) {
		if c.Flags().Lookup(f.Name) != nil || f.Name == helpFlag || f.Name == configFlag {
			err = wrongUse("the program's own flag --%s is also a flag of %q: the program has to give its own another name", f.Name, c.CommandPath())
		}
		if f.Shorthand != "" {
			err = wrongUse("the program's own flag --%s has the short form -%s: short forms are not used, so that no two flags can want the same", f.Name, f.Shorthand)
		}
	})
	if err != nil {
		return fmt.Errorf("%s: %w", c.CommandPath(), err)
	}
	c.Flags().AddFlagSet(own)
	return nil
}

const helpFlag = "help"
