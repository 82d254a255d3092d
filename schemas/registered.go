package schemas

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// SchemaOption is an option of a codec with a schema.
type SchemaOption func(*schemaSettings)

type schemaSettings struct {
	subject string
	earlier []string
}

// Subject says what the schema is called in the registry. Defaults to the topic's
// name with "-value" behind it.
func Subject(name string) SchemaOption {
	return func(s *schemaSettings) { s.subject = name }
}

// Earlier names schemas that values may have been written with before, for Avro
// without a registry: with one, the registry knows them.
func Earlier(schemas ...string) SchemaOption {
	return func(s *schemaSettings) { s.earlier = append(s.earlier, schemas...) }
}

func schemaSettingsOf(options []SchemaOption) schemaSettings {
	var s schemaSettings
	for _, o := range options {
		o(&s)
	}
	return s
}

// registered is a codec's tie to the registry. Its zero value has none.
type registered struct {
	subject string // "": the topic's

	mu       sync.Mutex // held while it is opened
	id       atomic.Int64
	registry atomic.Pointer[Registry]
}

// Subject returns the subject for a topic.
func (r *registered) Subject(topic string) string {
	if r.subject != "" {
		return r.subject
	}
	return topic + "-value"
}

// schemaID is the id of the codec's own schema, 0 where it has none.
func (r *registered) schemaID() int { return int(r.id.Load()) }

// describe is how a reason calls the codec's own schema.
func (r *registered) describe() string {
	if id := r.schemaID(); id != 0 {
		return fmt.Sprintf("schema %d", id)
	}
	return "its own schema, which has no id"
}

func (r *registered) open(ctx context.Context, o Opening, s Schema) error {
	if o.Registry == nil {
		return nil
	}
	subject := r.Subject(o.Topic)
	r.mu.Lock()
	defer r.mu.Unlock()
	var (
		id  int
		err error
	)
	if o.Writes && !o.LookUp {
		id, err = o.Registry.Register(ctx, subject, s)
	} else {
		id, err = o.Registry.LookUp(ctx, subject, s)
	}
	switch {
	case !o.Writes && errors.Is(err, ErrUnknownSchema):
		r.registry.Store(&o.Registry)
		return nil
	case err != nil:
		return fmt.Errorf("open the codec of topic %s with subject %s: %w", o.Topic, subject, err)
	case id <= 0 || id > maxSchemaID:
		return fmt.Errorf("open the codec of topic %s: the registry gave subject %s the id %d", o.Topic, subject, id)
	}
	if had := r.schemaID(); had != 0 && had != id {
		return fmt.Errorf("open the codec of topic %s: the registry gave its schema the id %d in subject %s, and %d in another: give each pipe a codec of its own", o.Topic, id, subject, had)
	}
	r.registry.Store(&o.Registry)
	r.id.Store(int64(id))
	return nil
}

// lookUp returns the schema of a writer.
func (r *registered) lookUp(ctx context.Context, id int) (Schema, error) {
	registry := r.registry.Load()
	if registry == nil {
		return Schema{}, fmt.Errorf("no schema registry is configured: %w", ErrUnavailable)
	}
	return (*registry).Schema(ctx, id)
}

// The wire format of schema registries: a zero, the id in four bytes, and then
// the value.
const (
	framed      = 0
	frameSize   = 5
	maxSchemaID = 1<<31 - 1
)

func appendFrame(dst []byte, id int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, framed), uint32(id))
}

// readFrame takes a frame off, if there is one.
func readFrame(b []byte) (id int, body []byte, isFramed bool, err error) {
	if len(b) == 0 || b[0] != framed {
		return 0, b, false, nil
	}
	if len(b) < frameSize {
		return 0, nil, true, fmt.Errorf("it begins as a value with a schema's id, and has only %d bytes", len(b))
	}
	return int(binary.BigEndian.Uint32(b[1:])), b[frameSize:], true, nil
}
