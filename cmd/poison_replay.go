package cmd

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/router"
)

// poisonReplayFlags are the flags of poison replay.
type poisonReplayFlags struct {
	*actFlags

	rate      string
	edit      bool
	valueFile string
}

const (
	rateFlag      = "rate"
	editFlag      = "edit"
	valueFileFlag = "value-file"
)

func (a *app) poisonReplay() *cobra.Command {
	c := &cobra.Command{
		Use:   "replay STAGE [POSITION]",
		Short: "Give poisoned messages to their stage again",
		Long: `Replay gives messages to their stage again, and to it alone: others that read the
same pipe see nothing of it. The stage need not run meanwhile. A message that held
its key is tried in its place.

One message can be edited first. It gets a new id then, which names the old one;
what is not edited keeps its id. Where the value had no end of line at its end and
the editor has added one, that is taken off.

A message that was replayed and that the stage is not through with is left alone.
One that fails again is poisoned again, with its history.`,
		Example: a.example("{} poison replay STAGE 12", "{} poison replay STAGE 12 --edit", "{} poison replay STAGE 12 --value-file fixed.json",
			"{} poison replay STAGE --group 1a2b3c4d --dry-run", "{} poison replay STAGE --all --rate 50/s"),
		Args: cobra.RangeArgs(1, 2),
	}
	c.ValidArgsFunction = a.completeNames(stageNames)
	f := &poisonReplayFlags{actFlags: newActFlags(c)}
	c.Flags().StringVar(&f.rate, rateFlag, "", "replay at most so `many` a second (20/s) or a minute (20/m)")
	c.Flags().BoolVar(&f.edit, editFlag, false, "open the value in $EDITOR first")
	c.Flags().StringVar(&f.valueFile, valueFileFlag, "", "replay with the value in this `file`, or on standard input as -")
	a.does(c, func(ctx context.Context, args []string) error {
		s, err := f.selection(args)
		if err != nil {
			return err
		}
		rate, err := parseRate(f.rate)
		if err != nil {
			return wrongUse("%s is %q: %w", given(c.Flags(), rateFlag), f.rate, err)
		}
		if (f.edit || f.valueFile != "") && s.Position == nil {
			return wrongUse("only one message at a time can be edited: give its position")
		}
		if f.edit && f.valueFile != "" {
			return wrongUse("%s and %s both make the new value: leave one of them out", given(c.Flags(), editFlag), given(c.Flags(), valueFileFlag))
		}
		return a.replay(ctx, f, args[0], s, rate)
	})
	return a.buildsPipelines(c)
}

func (a *app) replay(ctx context.Context, f *poisonReplayFlags, stage string, s router.PoisonSelection, rate float64) error {
	return a.onePoison(ctx, f.connection, stage, f.who(), func(log *router.PoisonLog, t poisonTopic) error {
		o := router.PoisonReplayOptions{Rate: rate, DryRun: f.dryRun, Progress: a.tellProgress("replayed")}
		if f.edit || f.valueFile != "" {
			value, pending, err := a.editedValue(ctx, f, log, t, s)
			if err != nil {
				return err
			}
			if !pending {
				o.Edit = func(*router.PoisonMessage) ([]byte, error) { return value, nil }
			}
		}
		r, err := log.Replay(ctx, s, o)
		if err := acted(ctx, s.Position, t, "replayed", r, err); err != nil {
			return err
		}
		return a.tellActed(f.actFlags, s, t, "Replayed", r)
	})
}

// parseRate reads 20, 20/s or 20/m, as messages a second.
func parseRate(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	count, unit, _ := strings.Cut(text, "/")
	per := map[string]float64{"": 1, "s": 1, "m": 60}[unit]
	n, err := strconv.ParseFloat(count, 64)
	if err != nil || per == 0 || !(n > 0 && n <= 1e6) {
		return 0, errors.New("give a number above 0, as in 20/s or 20/m")
	}
	return n / per, nil
}
