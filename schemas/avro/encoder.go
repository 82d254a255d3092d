package avro

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

// Encoder writes values of T in the binary form of one schema. It keeps nothing
// of what it writes and may be used from many goroutines.
type Encoder[T any] struct {
	schema  *Schema
	encode  encodeFunc
	writers sync.Pool // of *writer
}

// NewEncoder compiles an encoder. An error says what T and the schema disagree
// on.
func NewEncoder[T any](schema *Schema) (*Encoder[T], error) {
	c := encoderCompiler{records: map[compiled]*encodeFunc{}}
	t := reflect.TypeFor[T]()
	encode, err := c.compile(schema.root, t)
	if err != nil {
		return nil, fmt.Errorf("write %s as Avro %s: %w", t, schema.Name(), err)
	}
	return &Encoder[T]{schema: schema, encode: encode}, nil
}

// Schema is what the encoder writes.
func (e *Encoder[T]) Schema() *Schema { return e.schema }

// Append appends the binary form of v to dst. After an error dst's own bytes are
// as they were. It only reads v.
func (e *Encoder[T]) Append(dst []byte, v *T) ([]byte, error) {
	w, ok := e.writers.Get().(*writer)
	if !ok {
		w = &writer{}
	}
	w.buf = dst
	err := e.encode(w, of(v))
	if err == nil {
		dst = w.buf
	}
	*w = writer{}
	e.writers.Put(w)
	return dst, err
}

// encodeFunc writes the value of the Go type that it was compiled for.
type encodeFunc func(w *writer, p unsafe.Pointer) error

// compiled names what one compiled function is for.
type compiled struct {
	writer, reader *node // an encoder has no reader
	typ            reflect.Type
}

// encoderCompiler compiles a schema for a Go type. A record that contains itself
// is compiled once, and calls itself by where its function will be.
type encoderCompiler struct {
	records map[compiled]*encodeFunc
}

func (c *encoderCompiler) compile(n *node, t reflect.Type) (encodeFunc, error) {
	if n.kind == kindUnion {
		return c.union(n, t)
	}
	if t.Kind() == reflect.Pointer {
		return c.pointer(n, t)
	}
	if f := encodeTime(n, t); f != nil {
		return f, nil
	}
	switch n.kind {
	case kindRecord:
		return c.record(n, t)
	case kindArray:
		return c.array(n, t)
	case kindMap:
		return c.object(n, t)
	default: // has no parts
	}
	if f := encodeScalar(n, t); f != nil {
		return f, nil
	}
	return nil, unfit(n, t)
}

func unfit(n *node, t reflect.Type) error { return fmt.Errorf("%s does not hold Avro %s", t, n) }

func (c *encoderCompiler) pointer(n *node, t reflect.Type) (encodeFunc, error) {
	encode, err := c.compile(n, t.Elem())
	if err != nil {
		return nil, err
	}
	return func(w *writer, p unsafe.Pointer) error {
		if p = *at[unsafe.Pointer](p); p == nil {
			return fmt.Errorf("it is nil, and Avro %s cannot be null", n)
		}
		return encode(w, p)
	}, nil
}

func (c *encoderCompiler) record(n *node, t reflect.Type) (encodeFunc, error) {
	if t.Kind() != reflect.Struct {
		return nil, unfit(n, t)
	}
	key := compiled{writer: n, typ: t}
	if known := c.records[key]; known != nil {
		return func(w *writer, p unsafe.Pointer) error { return (*known)(w, p) }, nil
	}
	self := new(encodeFunc)
	c.records[key] = self
	ms, err := matchFields(n, t)
	if err != nil {
		return nil, err
	}
	type step struct {
		offset  uintptr
		encode  encodeFunc
		initial []byte // what is written where encode is nil
		name    string
	}
	steps := make([]step, len(n.fields))
	for i, f := range n.fields {
		steps[i] = step{initial: f.encoded, name: f.name}
		if ms[i] == nil {
			continue
		}
		steps[i].offset = ms[i].offset
		if steps[i].encode, err = c.compile(f.node, ms[i].typ); err != nil {
			return nil, inField(f.name, err)
		}
	}
	*self = func(w *writer, p unsafe.Pointer) error {
		if err := w.enter(); err != nil {
			return err
		}
		for i := range steps {
			s := &steps[i]
			if s.encode == nil {
				w.buf = append(w.buf, s.initial...)
				continue
			}
			if err := s.encode(w, inside(p, s.offset)); err != nil {
				return inField(s.name, err)
			}
		}
		w.leave()
		return nil
	}
	return *self, nil
}

func (c *encoderCompiler) array(n *node, t reflect.Type) (encodeFunc, error) {
	if t.Kind() != reflect.Slice {
		return nil, unfit(n, t)
	}
	item, err := c.compile(n.items, t.Elem())
	if err != nil {
		return nil, err
	}
	size := t.Elem().Size()
	return func(w *writer, p unsafe.Pointer) error {
		list := reflect.NewAt(t, p).Elem()
		if count := list.Len(); count > 0 {
			w.long(int64(count))
			first := list.UnsafePointer()
			for i := range count {
				if err := item(w, inside(first, uintptr(i)*size)); err != nil {
					return inField(fmt.Sprintf("[%d]", i), err)
				}
			}
		}
		w.long(0)
		return nil
	}, nil
}

func (c *encoderCompiler) object(n *node, t reflect.Type) (encodeFunc, error) {
	if t.Kind() != reflect.Map || t.Key().Kind() != reflect.String {
		return nil, unfit(n, t)
	}
	item, err := c.compile(n.items, t.Elem())
	if err != nil {
		return nil, err
	}
	return func(w *writer, p unsafe.Pointer) error {
		object := reflect.NewAt(t, p).Elem()
		if count := object.Len(); count > 0 {
			w.long(int64(count))
			key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			for entries := object.MapRange(); entries.Next(); {
				key.SetIterKey(entries)
				value.SetIterValue(entries)
				w.text(key.String())
				if err := item(w, value.Addr().UnsafePointer()); err != nil {
					return inField(key.String(), err)
				}
			}
		}
		w.long(0)
		return nil
	}, nil
}
