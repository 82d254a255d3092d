package cmd

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/router"
)

// poisonDropFlags are the flags of poison drop.
type poisonDropFlags struct {
	*actFlags

	reason string
	yes    bool
}

const yesFlag = "yes"

func (a *app) poisonDrop() *cobra.Command {
	c := &cobra.Command{
		Use:   "drop STAGE [POSITION]",
		Short: "Let go of poisoned messages",
		Long: `Drop lets go of messages: they are not open any more, and where one held its key
the key goes on. Their records stay in the poison topic: "poison ls --all" lists
them. It asks before it does so, unless --yes is given.`,
		Example: a.example("{} poison drop STAGE 12 --reason \"a test order\"", "{} poison drop STAGE --group 1a2b3c4d --dry-run", "{} poison drop STAGE --all --yes"),
		Args:    cobra.RangeArgs(1, 2),
	}
	c.ValidArgsFunction = a.completeNames(stageNames)
	f := &poisonDropFlags{actFlags: newActFlags(c)}
	c.Flags().StringVar(&f.reason, "reason", "", "`why`, for the record")
	c.Flags().BoolVar(&f.yes, yesFlag, false, "do not ask")
	a.does(c, func(ctx context.Context, args []string) error {
		s, err := f.selection(args)
		if err != nil {
			return err
		}
		return a.onePoison(ctx, f.connection, args[0], f.who(), func(log *router.PoisonLog, t poisonTopic) error {
			return a.drop(ctx, f, log, t, s)
		})
	})
	return a.buildsPipelines(c)
}

func (a *app) drop(ctx context.Context, f *poisonDropFlags, log *router.PoisonLog, t poisonTopic, s router.PoisonSelection) error {
	o := router.PoisonDropOptions{Reason: f.reason, DryRun: f.dryRun, Progress: a.tellProgress("dropped")}
	if !f.yes && !f.dryRun {
		counting := o
		counting.DryRun = true
		r, err := log.Drop(ctx, s, counting)
		if err := acted(ctx, s.Position, t, "counted", router.PoisonResult{}, err); err != nil {
			return err
		}
		if r.Done == 0 {
			return a.tellActed(f.actFlags, s, t, "Dropped", r)
		}
		if err := a.confirm(ctx, fmt.Sprintf("Drop %s of stage %s?", messages(r.Done), t.stage)); err != nil {
			return err
		}
	}
	r, err := log.Drop(ctx, s, o)
	if err := acted(ctx, s.Position, t, "dropped", r, err); err != nil {
		return err
	}
	return a.tellActed(f.actFlags, s, t, "Dropped", r)
}

// confirm asks a question. An error means that the answer is not yes.
func (a *app) confirm(ctx context.Context, question string) error {
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	answer, err := aside(ctx, func() (string, error) {
		line, _ := bufio.NewReader(a.stdin).ReadString('\n') // none is no
		return line, nil
	})
	if err != nil {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return fmt.Errorf("nothing was done: the answer was not yes; --%s does it without asking", yesFlag)
	}
	return nil
}
