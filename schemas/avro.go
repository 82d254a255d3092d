package schemas

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/penstock/penstock/schemas/avro"
)

// ContentTypeAvro is the content type of the Avro codec.
const ContentTypeAvro = "application/avro"

// Avro is a codec of Avro, for a schema in its JSON form. Keep that in a file of
// its own, with //go:embed. Package avro tells which Go type holds what.
//
// With a registry it writes the registry's wire format and reads what was written
// with any schema that the registry knows and that resolves to this one. A value
// with an unknown schema, or one that does not resolve, is refused with both
// schemas' ids. A registry that cannot be reached is ErrUnavailable.
//
// Without a registry it writes Avro's single-object encoding, which has the
// schema's fingerprint in place of an id, and reads what was written with this
// schema or one of those that Earlier names. A value of either form can be read
// as long as its schema is known, so a registry can be introduced later.
//
// Two of it are equal only if they are one: make one for the pipes of a type. It
// is an [Opener].
func Avro[T any](schema string, options ...SchemaOption) Codec[T] {
	settings := schemaSettingsOf(options)
	c := &avroCodec[T]{text: schema, known: map[uint64]*avro.Decoder[T]{}}
	c.subject = settings.subject
	c.scratch.New = func() any { return new(avroScratch[T]) }
	c.writers.Store(&map[int]avroWriter[T]{})
	c.err = c.compile(settings.earlier)
	return c
}

type avroCodec[T any] struct {
	registered

	text    string
	err     error
	schema  *avro.Schema
	encoder *avro.Encoder[T]
	own     *avro.Decoder[T]

	known map[uint64]*avro.Decoder[T] // by fingerprint

	compiling sync.Mutex
	writers   atomic.Pointer[map[int]avroWriter[T]] // by id; a map that is never changed
	scratch   sync.Pool                             // of *avroScratch[T]
}

// avroWriter is how values of one writer's schema are read, or why not.
type avroWriter[T any] struct {
	decoder *avro.Decoder[T]
	err     error
}

// maxWriters bounds the writers' schemas that are kept. Beyond, all are
// forgotten.
const maxWriters = 1000

// avroScratch keeps a value where compiled functions can reach it.
type avroScratch[T any] struct {
	value T
	buf   []byte
}

// maxScratch bounds the memory that is kept for the next value, in bytes.
const maxScratch = 1 << 16

func (c *avroCodec[T]) compile(earlier []string) error {
	t := reflect.TypeFor[T]()
	var err error
	if c.schema, err = avro.Parse(c.text); err != nil {
		return fmt.Errorf("Avro codec of %s: %w", t, err)
	}
	if c.encoder, err = avro.NewEncoder[T](c.schema); err != nil {
		return fmt.Errorf("Avro codec: %w", err)
	}
	if c.own, err = avro.NewDecoder[T](c.schema, c.schema); err != nil {
		return fmt.Errorf("Avro codec: %w", err)
	}
	for i, text := range earlier {
		writer, err := avro.Parse(text)
		if err != nil {
			return fmt.Errorf("Avro codec of %s: earlier schema %d: %w", t, i+1, err)
		}
		if c.known[writer.Fingerprint()], err = avro.NewDecoder[T](writer, c.schema); err != nil {
			return fmt.Errorf("Avro codec of %s: earlier schema %d: %w", t, i+1, err)
		}
	}
	c.known[c.schema.Fingerprint()] = c.own
	return nil
}

// ContentType returns ContentTypeAvro.
func (c *avroCodec[T]) ContentType() string { return ContentTypeAvro }

// Schema returns the schema, or what is wrong with it.
func (c *avroCodec[T]) Schema() (Schema, error) {
	return Schema{Type: SchemaAvro, Text: c.text}, c.err
}

// Open asks the registry for the schema's id.
func (c *avroCodec[T]) Open(ctx context.Context, o Opening) error {
	if c.err != nil {
		return c.err
	}
	return c.open(ctx, o, Schema{Type: SchemaAvro, Text: c.text})
}

// single are the first bytes of Avro's single-object encoding. The fingerprint
// follows.
var single = []byte{0xc3, 0x01}

const singleSize = 10

// Encode writes v.
func (c *avroCodec[T]) Encode(v T) ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	s, _ := c.scratch.Get().(*avroScratch[T])
	s.value = v
	if id := c.schemaID(); id != 0 {
		s.buf = appendFrame(s.buf[:0], id)
	} else {
		s.buf = binary.LittleEndian.AppendUint64(append(s.buf[:0], single...), c.schema.Fingerprint())
	}
	buf, err := c.encoder.Append(s.buf, &s.value)
	var out []byte
	if err == nil {
		out = bytes.Clone(buf)
		s.buf = buf
	}
	c.release(s)
	if err != nil {
		return nil, fmt.Errorf("encode %s as Avro: %w", reflect.TypeFor[T](), err)
	}
	return out, nil
}

func (c *avroCodec[T]) release(s *avroScratch[T]) {
	var zero T
	s.value = zero
	if cap(s.buf) <= maxScratch {
		c.scratch.Put(s)
	}
}

// Decode reads b.
func (c *avroCodec[T]) Decode(ctx context.Context, b []byte) (T, error) {
	var zero T
	if c.err != nil {
		return zero, c.err
	}
	id, body, isFramed, err := readFrame(b)
	switch {
	case err != nil:
	case isFramed:
		return c.decodeFramed(ctx, id, body)
	case len(b) >= singleSize && bytes.HasPrefix(b, single):
		return c.decodeSingle(b)
	case len(b) == 0:
		err = errors.New("the value is empty")
	default:
		err = fmt.Errorf("it begins neither with a schema's id nor with a fingerprint, but with 0x%02x", b[0])
	}
	return zero, c.reason("", err)
}

// reason says what was decoded, and how.
func (c *avroCodec[T]) reason(how string, err error) error {
	return fmt.Errorf("decode Avro as %s%s: %w", reflect.TypeFor[T](), how, err)
}

func (c *avroCodec[T]) decodeSingle(b []byte) (v T, err error) {
	fingerprint := binary.LittleEndian.Uint64(b[len(single):])
	decoder := c.known[fingerprint]
	if decoder == nil {
		return v, c.reason("", fmt.Errorf("it was written with a schema of the fingerprint %016x, which is neither this one, %016x, nor an earlier one", fingerprint, c.schema.Fingerprint()))
	}
	if v, err = c.decode(decoder, b[singleSize:]); err != nil {
		return v, c.reason("", err)
	}
	return v, nil
}

func (c *avroCodec[T]) decodeFramed(ctx context.Context, id int, body []byte) (v T, err error) {
	decoder := c.own
	if own := c.schemaID(); id != own || own == 0 {
		if decoder, err = c.writer(ctx, id); err != nil {
			return v, c.reason(c.between(id), err)
		}
	}
	if v, err = c.decode(decoder, body); err != nil {
		return v, c.reason(c.between(id), err)
	}
	return v, nil
}

// between names both schemas, for a reason.
func (c *avroCodec[T]) between(id int) string {
	return fmt.Sprintf(", written with schema %d and read with %s", id, c.describe())
}

func (c *avroCodec[T]) decode(d *avro.Decoder[T], body []byte) (T, error) {
	s, _ := c.scratch.Get().(*avroScratch[T])
	err := d.Decode(body, &s.value)
	v := s.value
	c.release(s)
	if err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}

// writer returns the decoder for a writer's schema. It is made once. What could
// not be looked up is not kept.
func (c *avroCodec[T]) writer(ctx context.Context, id int) (*avro.Decoder[T], error) {
	if w, ok := (*c.writers.Load())[id]; ok {
		return w.decoder, w.err
	}
	s, err := c.lookUp(ctx, id)
	if err != nil {
		return nil, err
	}
	c.compiling.Lock()
	defer c.compiling.Unlock()
	known := *c.writers.Load()
	if w, ok := known[id]; ok { // another lane was faster
		return w.decoder, w.err
	}
	var w avroWriter[T]
	w.decoder, w.err = c.resolve(s)
	if len(known) >= maxWriters {
		known = nil
	}
	next := maps.Clone(known)
	if next == nil {
		next = map[int]avroWriter[T]{}
	}
	next[id] = w
	c.writers.Store(&next)
	return w.decoder, w.err
}

func (c *avroCodec[T]) resolve(s Schema) (*avro.Decoder[T], error) {
	if s.Type != SchemaAvro {
		return nil, fmt.Errorf("that is a schema of type %s", s.Type)
	}
	if len(s.Imports) > 0 {
		return nil, errors.New("that schema refers to others, which is not supported")
	}
	writer, err := avro.Parse(s.Text)
	if err != nil {
		return nil, err
	}
	return avro.NewDecoder[T](writer, c.schema)
}
