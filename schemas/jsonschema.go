package schemas

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// JSONSchema is the JSON codec, held to a JSON Schema: values are checked when
// they are written and when they are read, and an error names the field and the
// rule. Drafts 4 to 2020-12 are known, 2020-12 where $schema does not say. A $ref
// to another document is refused: nothing is loaded.
//
// With a registry the JSON has the schema's id before it. A value is checked
// against this schema, whichever it was written with, so reading never asks the
// registry. Without one it is bare JSON. Both are read.
//
// A number whose exponent is beyond 1000 is refused, whatever the schema says.
//
// Checking costs a second reading of the JSON. Two of it are equal only if they
// are one. It is an [Opener].
func JSONSchema[T any](schema string, options ...SchemaOption) Codec[T] {
	c := &jsonSchemaCodec[T]{text: schema, printer: message.NewPrinter(language.English)}
	c.subject = schemaSettingsOf(options).subject
	if c.schema, c.err = compileJSONSchema(schema); c.err != nil {
		c.err = fmt.Errorf("JSON Schema codec of %s: %w", reflect.TypeFor[T](), c.err)
	}
	return c
}

type jsonSchemaCodec[T any] struct {
	registered

	text    string
	err     error
	schema  *jsonschema.Schema
	json    jsonCodec[T]
	printer *message.Printer
}

// maxSchema bounds a schema's size, in bytes.
const maxSchema = 1 << 20

// schemaURL is what the schema is called among its own references.
const schemaURL = "penstock:schema"

func compileJSONSchema(text string) (*jsonschema.Schema, error) {
	if len(text) > maxSchema {
		return nil, fmt.Errorf("the schema has %d bytes, above the limit of %d", len(text), maxSchema)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	return compiler.Compile(schemaURL)
}

// noLoader keeps a schema from making this process read files or call out.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is another document: put all into one schema, below $defs", url)
}

// ContentType returns ContentTypeJSON.
func (c *jsonSchemaCodec[T]) ContentType() string { return ContentTypeJSON }

// Schema returns the schema, or what is wrong with it.
func (c *jsonSchemaCodec[T]) Schema() (Schema, error) {
	return Schema{Type: SchemaJSON, Text: c.text}, c.err
}

// Open asks the registry for the schema's id.
func (c *jsonSchemaCodec[T]) Open(ctx context.Context, o Opening) error {
	if c.err != nil {
		return c.err
	}
	return c.open(ctx, o, Schema{Type: SchemaJSON, Text: c.text})
}

// Encode writes v, if the schema allows it.
func (c *jsonSchemaCodec[T]) Encode(v T) ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	b, err := c.json.Encode(v)
	if err != nil {
		return nil, err
	}
	if err := c.check(b); err != nil {
		return nil, fmt.Errorf("encode %s by JSON Schema: %w", reflect.TypeFor[T](), err)
	}
	if id := c.schemaID(); id != 0 {
		return append(appendFrame(make([]byte, 0, frameSize+len(b)), id), b...), nil
	}
	return b, nil
}

// Decode reads b, if the schema allows it.
func (c *jsonSchemaCodec[T]) Decode(ctx context.Context, b []byte) (T, error) {
	var zero T
	if c.err != nil {
		return zero, c.err
	}
	id, body, isFramed, err := readFrame(b)
	if err == nil {
		err = c.check(body)
	}
	if err != nil {
		how := ""
		if isFramed {
			how = fmt.Sprintf(", written with schema %d and read with %s", id, c.describe())
		}
		return zero, fmt.Errorf("decode JSON as %s%s: %w", reflect.TypeFor[T](), how, err)
	}
	return c.json.Decode(ctx, body)
}

func (c *jsonSchemaCodec[T]) check(b []byte) error {
	if len(b) == 0 {
		return errors.New("the value is empty")
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return err
	}
	if err := checkNumbers(v); err != nil {
		return err
	}
	err = c.schema.Validate(v)
	if broken, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return &SchemaError{Findings: c.findings(nil, broken)}
	}
	return err
}

// SchemaError says where a value breaks the rules of a JSON Schema.
type SchemaError struct {
	// Findings are the broken rules, at most ten of them.
	Findings []SchemaFinding
}

// SchemaFinding is a rule that a value breaks.
type SchemaFinding struct {
	// Field is the path of the field, as lines[2].price. It is empty where the
	// value as a whole breaks the rule.
	Field string

	// Reason is what is wrong with it.
	Reason string
}

// Error names each field and its reason.
func (e *SchemaError) Error() string {
	texts := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		texts[i] = f.Reason
		if f.Field != "" {
			texts[i] = "field " + f.Field + ": " + f.Reason
		}
	}
	return strings.Join(texts, "; ")
}

const (
	maxFindings = 10
	maxReason   = 200 // bytes
	maxPath     = 200 // bytes
)

// findings collects the innermost errors: the outer ones only say that there are
// such.
func (c *jsonSchemaCodec[T]) findings(to []SchemaFinding, e *jsonschema.ValidationError) []SchemaFinding {
	if len(to) == maxFindings {
		return to
	}
	if len(e.Causes) == 0 {
		return append(to, SchemaFinding{
			Field:  cut(fieldPath(e.InstanceLocation), maxPath),
			Reason: cut(e.ErrorKind.LocalizedString(c.printer), maxReason),
		})
	}
	for _, cause := range e.Causes {
		to = c.findings(to, cause)
	}
	return to
}

func cut(s string, limit int) string {
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

func fieldPath(location []string) string {
	var b strings.Builder
	for _, part := range location {
		if _, err := strconv.Atoi(part); err == nil {
			b.WriteString("[" + part + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}
