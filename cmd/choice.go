package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// choice is the value of a flag that is one of a few words. Case does not
// matter.
type choice struct {
	value string
	among []string
}

var _ pflag.Value = (*choice)(nil)

// String implements pflag.Value.
func (c *choice) String() string { return c.value }

// Type implements pflag.Value. Help shows it as the kind of the value.
func (c *choice) Type() string { return strings.Join(c.among, "|") }

// Set implements pflag.Value.
func (c *choice) Set(s string) error {
	i := slices.IndexFunc(c.among, func(word string) bool { return strings.EqualFold(word, s) })
	if i < 0 {
		return fmt.Errorf("it is one of %s", strings.Join(c.among, ", "))
	}
	c.value = c.among[i]
	return nil
}

// completeChoices lets the shell complete the words of all such flags, of a command and
// of those below it.
func completeChoices(c *cobra.Command) {
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if one, is := f.Value.(*choice); is {
			// The only error is that the flag does not exist, or that this was said before.
			_ = c.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(one.among, cobra.ShellCompDirectiveNoFileComp))
		}
	})
	for _, sub := range c.Commands() {
		completeChoices(sub)
	}
}
