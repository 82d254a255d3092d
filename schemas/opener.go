package schemas

import (
	"context"
	"errors"
)

// Opener is a codec that can use a schema registry: Avro, JSONSchema, Protobuf.
// Without being opened it works on its own; see each for what it writes then.
type Opener interface {
	// Schema is what the codec writes and reads with. An error says what is wrong
	// with the schema, or with the Go type for it; it is also the error of Open and
	// of every value.
	Schema() (Schema, error)

	// Subject is what the schema is called in the registry, given the topic whose
	// values it describes.
	Subject(topic string) string

	// Open is called before the first value, once for each pipe of the codec, as
	// it may have more than one. It asks the registry for the schema's id. An
	// error wraps ErrUnavailable when the registry could not be reached, and
	// ErrUnknownSchema when the schema is not there and must not be registered.
	Open(ctx context.Context, o Opening) error
}

// Opening tells a codec what it is going to be used for.
type Opening struct {
	// Registry is nil where none is configured.
	Registry Registry

	// Topic is the pipe's.
	Topic string

	// Writes tells that this process writes the pipe: then the schema must be in
	// the registry. One who only reads can do without.
	Writes bool

	// LookUp forbids to register the schema. Defaults to false: who writes a pipe
	// registers its schema, and the registry refuses one that is incompatible with
	// those before it.
	LookUp bool
}

// Registry is a schema registry as codecs see it. All methods are safe for
// concurrent use and bounded in time. Their errors wrap ErrUnavailable when
// nothing is known, so that trying again makes sense.
type Registry interface {
	// Register sees to it that the subject has the schema, and returns its id.
	Register(ctx context.Context, subject string, s Schema) (id int, err error)

	// LookUp returns the id of the subject's schema. The error wraps
	// ErrUnknownSchema if it does not have it.
	LookUp(ctx context.Context, subject string, s Schema) (id int, err error)

	// Schema returns the schema of an id, of which there is one for good. The
	// error wraps ErrUnknownSchema if there is none.
	Schema(ctx context.Context, id int) (Schema, error)
}

// ErrUnknownSchema is wrapped by a registry's error when it answered that it does
// not have the schema.
var ErrUnknownSchema = errors.New("the schema registry does not have the schema")

// SchemaType is a kind of schema, with the name that registries have for it.
type SchemaType string

// The kinds of schemas that registries know.
const (
	SchemaAvro     SchemaType = "AVRO"
	SchemaJSON     SchemaType = "JSON"
	SchemaProtobuf SchemaType = "PROTOBUF"
)

// Schema is a schema as a registry keeps it.
type Schema struct {
	Type SchemaType
	Text string

	// Imports are the schemas that Text names, where it is not complete without
	// them. A Registry registers them first.
	Imports []Import
}

// Import is a schema that another one names. In a registry its name is its
// subject, too.
type Import struct {
	Name   string
	Schema Schema
}
