package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/router"
)

// actFlags are what poison replay and poison drop have in common.
type actFlags struct {
	connection *connection
	group      string
	all        bool
	again      bool
	dryRun     bool
	by         string
	json       bool
}

const (
	againFlag  = "again"
	byFlag     = "by"
	dryRunFlag = "dry-run"
)

func newActFlags(c *cobra.Command) *actFlags {
	f := &actFlags{connection: newConnection(c.Flags())}
	c.Flags().StringVar(&f.group, groupFlag, "", "the open messages of the group of this `id`, as \"poison ls\" shows it")
	c.Flags().BoolVar(&f.all, allFlag, false, "all open messages of the stage")
	c.Flags().BoolVar(&f.again, againFlag, false, "also what was replayed or dropped before")
	c.Flags().BoolVar(&f.dryRun, dryRunFlag, false, "say what would be done, and do nothing")
	c.Flags().StringVar(&f.by, byFlag, "", "`who` does it, for the record (default: user@host)")
	c.Flags().BoolVar(&f.json, jsonFlag, false, "print JSON")
	return f
}

// selection is what the arguments name: a position, a group or all, and one of
// them.
func (f *actFlags) selection(args []string) (router.PoisonSelection, error) {
	s := router.PoisonSelection{Group: f.group, All: f.again}
	named := 0
	for _, is := range []bool{len(args) > 1, f.group != "", f.all} {
		if is {
			named++
		}
	}
	if named != 1 {
		return s, wrongUse("say which messages: a position, --%s or --%s, and one of them", groupFlag, allFlag)
	}
	if len(args) > 1 {
		at, err := parsePosition(args[1])
		if err != nil {
			return s, err
		}
		s.Position = &at
	}
	return s, nil
}

// who is who acts.
func (f *actFlags) who() string {
	if f.by != "" {
		return f.by
	}
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}

// actDocument is what was done, for scripts.
type actDocument struct {
	Stage    string `json:"stage"`
	Done     int    `json:"done"`
	Released int    `json:"released"` // of them: were held
	Pending  int    `json:"pending"`  // left alone: their replays are pending
	DryRun   bool   `json:"dryRun"`
}

// tellActed says what was done. An error says that it is not what was asked for.
func (a *app) tellActed(f *actFlags, s router.PoisonSelection, t poisonTopic, verb string, r router.PoisonResult) error {
	a.tellOthers(r.Others, t)
	switch {
	case r.Done+r.Pending > 0:
	case s.Position != nil && r.Closed > 0:
		return fmt.Errorf("the message at position %s of stage %s was replayed or dropped before: \"poison show\" tells by whom, and --%s does it again", s.Position, t.stage, againFlag)
	case s.Group != "":
		return fmt.Errorf("stage %s has no open message of group %s: \"poison ls\" lists those that there are", t.stage, s.Group)
	}
	if f.json {
		a.stdout.line(actDocument{Stage: t.stage, Done: r.Done, Released: r.Released, Pending: r.Pending, DryRun: f.dryRun})
		return nil
	}
	would := ""
	if f.dryRun {
		would = "Nothing was done. It would be: "
	}
	fmt.Fprintf(a.stdout, "%s%s %s of stage %s", would, verb, messages(r.Done), t.stage)
	if r.Released > 0 {
		fmt.Fprintf(a.stdout, ", %d of them held their keys", r.Released)
	}
	fmt.Fprintln(a.stdout, ".")
	if r.Pending > 0 {
		fmt.Fprintf(a.stdout, "Left alone %s: replayed before, and the stage is not through.\n", messages(r.Pending))
	}
	return nil
}

func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return number(int64(n)) + " messages"
}

// progressEvery is how often long work says how far it is.
const progressEvery = 2 * time.Second

// tellProgress returns what says how far long work is.
func (a *app) tellProgress(verb string) func(router.PoisonResult) {
	next := time.Now().Add(progressEvery)
	return func(r router.PoisonResult) {
		if now := time.Now(); now.After(next) {
			next = now.Add(progressEvery)
			fmt.Fprintf(a.stderr, "%s: %s %s so far\n", a.name, verb, messages(r.Done))
		}
	}
}

// acted makes the error of what was broken off say how far it came.
func acted(ctx context.Context, at *router.PoisonPosition, t poisonTopic, verb string, r router.PoisonResult, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, router.ErrNotPoisoned) && at != nil:
		return noPoisonAt(*at, t.topic)
	case r.Done > 0:
		err = fmt.Errorf("%s %s, and then: %w; the same command goes on from there", verb, messages(r.Done), err)
	}
	return signalled(ctx, err)
}
