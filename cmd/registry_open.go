package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/schemas/registry"
)

// schemaRegistry is what a command opens codecs with.
type schemaRegistry struct {
	name     string           // of the program, for advice
	client   *registry.Client // nil: there is none
	readOnly bool
}

// schemaRegistry makes what the flags say. They are nil in a command that knows no codec.
func (a *app) schemaRegistry(f *registryFlags, log *slog.Logger) (*schemaRegistry, error) {
	if f == nil {
		return &schemaRegistry{name: a.name}, nil
	}
	client, err := f.client(log)
	return &schemaRegistry{name: a.name, client: client, readOnly: f.readOnly}, err
}

// Close ends the connections.
func (s *schemaRegistry) Close() {
	if s.client != nil {
		s.client.Close()
	}
}

// open opens codecs before their first value. A codec without a registry is opened too.
func (s *schemaRegistry) open(ctx context.Context, uses []pipeline.CodecUse) error {
	var of schemas.Registry // nil, and not a nil Client in it
	if s.client != nil {
		of = s.client
	}
	for _, u := range joinUses(uses) {
		o := schemas.Opening{Registry: of, Topic: u.Topic, Writes: u.Writes, LookUp: s.readOnly}
		if err := u.Codec.Open(ctx, o); err != nil {
			return s.explain(ctx, u.Topic, err)
		}
	}
	return nil
}

// openPipe opens the codec of a pipe. It may be nil: its codec is not known here.
func (s *schemaRegistry) openPipe(ctx context.Context, pipe *pipeline.PipeNode, writes bool) error {
	if pipe == nil || pipe.Codec() == nil {
		return nil
	}
	return s.open(ctx, []pipeline.CodecUse{{Codec: pipe.Codec(), Topic: pipe.Topic, Writes: writes}})
}

// joinUses brings together what is said of a codec and a topic.
func joinUses(uses []pipeline.CodecUse) []pipeline.CodecUse {
	type pair struct {
		codec schemas.Opener
		topic string
	}
	var joined []pipeline.CodecUse
	at := map[pair]int{}
	for _, u := range uses {
		i, known := at[pair{u.Codec, u.Topic}]
		if !known {
			i = len(joined)
			at[pair{u.Codec, u.Topic}] = i
			joined = append(joined, u)
		}
		joined[i].Writes = joined[i].Writes || u.Writes
	}
	return joined
}

// usesOf are the codecs of what a router runs.
func usesOf(r *router.Router, graphs []*pipeline.Graph) []pipeline.CodecUse {
	here := map[string]bool{}
	status := r.Status()
	for i := range status.Stages {
		here[status.Stages[i].Stage] = true
	}
	for _, s := range status.Sources {
		here[s.Source] = true
	}
	var uses []pipeline.CodecUse
	for _, g := range graphs {
		for _, s := range g.Sources {
			if here[g.Name+"."+s.Name] {
				uses = append(uses, s.Codecs()...)
			}
		}
		for _, s := range g.Stages {
			if here[s.Group] {
				uses = append(uses, s.Codecs()...)
			}
		}
	}
	return uses
}

// explain gives an error of the registry the advice that it needs. A topic is named where
// it is about its schema.
func (s *schemaRegistry) explain(ctx context.Context, topic string, err error) error {
	op, dialled := errors.AsType[*net.OpError](err)
	switch {
	case ctx.Err() != nil:
		return interrupted("stopped by %w while asking the schema registry", context.Cause(ctx))
	case errors.Is(err, registry.ErrRefused):
		return fmt.Errorf("%w; change the schema so that it fits those before it (%q tells whether it does), or the rule that the registry has for the subject", err, s.advice("check", topic))
	case errors.Is(err, schemas.ErrUnknownSchema):
		return fmt.Errorf("%w; put it there with: %s", err, s.advice("register", topic))
	case errors.Is(err, registry.ErrDenied):
		return fmt.Errorf("%w; check --%s and the password", err, registryUserFlag)
	case dialled && op.Op == "dial":
		return fmt.Errorf("cannot reach the schema registry at %s (%w): check --%s, and whether it runs", s.client, op, registryFlag)
	case errors.Is(err, schemas.ErrUnavailable):
		return fmt.Errorf("%w; check --%s, and whether a schema registry runs there", err, registryFlag)
	}
	return err
}

func (s *schemaRegistry) advice(command, topic string) string {
	return fmt.Sprintf("%s schemas %s %s", invocation(s.name), command, topic)
}
