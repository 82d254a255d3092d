package router

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// outsideError is why an output cannot go to the topic outside that its filter has
// chosen: perhaps by what a message says, so the stage must not stop for it.
type outsideError struct{ err error }

// Error implements error.
func (e *outsideError) Error() string { return e.err.Error() }

// Unwrap returns why.
func (e *outsideError) Unwrap() error { return e.err }

// ofOutside marks an error of the topic of an output that goes outside. A pipe
// that is gone stops the stage, and loses nothing.
func ofOutside(out *pipeline.Output, err error) error {
	if _, unwritable := errors.AsType[*kafka.UnwritableError](err); unwritable && out.Outside != "" {
		return &outsideError{err}
	}
	return err
}

// checkOutside makes sure that the topics of others are there which sources copy
// and filters are known to write to.
func (r *Router) checkOutside(ctx context.Context, admin *kafka.Admin) error {
	var names []string
	for _, s := range r.sources {
		if s.node.CopyOf != "" {
			names = append(names, s.node.CopyOf)
		}
	}
	for _, s := range r.stages {
		names = append(names, s.node.OutsideTopics...)
	}
	have, err := admin.Topics(ctx, names...)
	if err != nil {
		return err
	}
	var lacking []string
	for _, name := range names {
		if _, ok := have[name]; !ok {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		return fmt.Errorf("these topics of others do not exist: %s; make them, or correct the names, since no command of this program makes what is not its own", strings.Join(lacking, ", "))
	}
	return nil
}
