package avro

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

// ErrIncompatible is wrapped by an error that says that what was written with one
// schema cannot be read with the other.
var ErrIncompatible = errors.New("the schemas are incompatible")

// Decoder reads values of T that were written with one schema as another one
// describes them. It keeps nothing of what it reads and may be used from many
// goroutines.
type Decoder[T any] struct {
	writer, reader *Schema
	decode         decodeFunc
	readers        sync.Pool // of *reader
}

// NewDecoder compiles a decoder of what was written with the schema writer, for a
// T that fits the schema reader. Where the two differ, it follows "Schema
// Resolution" of the Avro specification, with these additions:
//
//   - Of a union, the type of the same name is taken before those that fit by
//     promotion, or by a name without its namespace, so that a value stays what it
//     is.
//   - Times of different units do not match, though both may be longs, and nor do
//     decimals that differ.
//
// An error wraps [ErrIncompatible] if it is the schemas that do not fit each
// other. Where only some values do not, as one symbol of an enum, those are
// errors of Decode.
func NewDecoder[T any](writer, reader *Schema) (*Decoder[T], error) {
	t := reflect.TypeFor[T]()
	c := decoderCompiler{records: map[compiled]*recordDecoder{}, skips: map[*node]*skipFunc{}}
	decode, err := c.compile(reader.root, reader.root, t)
	if err != nil {
		return nil, fmt.Errorf("read Avro %s into %s: %w", reader.Name(), t, err)
	}
	if writer.canonical != reader.canonical || writer.text != reader.text {
		if decode, err = c.compile(writer.root, reader.root, t); err != nil {
			return nil, fmt.Errorf("read Avro %s as %s: %w: %w", writer.Name(), reader.Name(), ErrIncompatible, err)
		}
	}
	return &Decoder[T]{writer: writer, reader: reader, decode: decode}, nil
}

// Decode reads b, which must be one value and nothing behind it, into v, which
// must be a zero T: what is null is left as it is. It keeps nothing of b and does
// not change it. After an error v may hold a part.
func (d *Decoder[T]) Decode(b []byte, v *T) error {
	r, ok := d.readers.Get().(*reader)
	if !ok {
		r = &reader{}
	}
	r.buf = b
	err := d.decode(r, of(v))
	switch {
	case err != nil:
		err = fmt.Errorf("%w (at byte %d)", err, r.pos)
	case r.left() > 0:
		err = fmt.Errorf("%d bytes are left behind the value", r.left())
	}
	*r = reader{}
	d.readers.Put(r)
	return err
}

// decodeFunc reads a value into the zero value of the Go type that it was compiled
// for.
type decodeFunc func(r *reader, p unsafe.Pointer) error

// decoderCompiler compiles a pair of schemas for a Go type.
type decoderCompiler struct {
	records map[compiled]*recordDecoder
	skips   map[*node]*skipFunc
}

func (c *decoderCompiler) compile(w, r *node, t reflect.Type) (decodeFunc, error) {
	switch {
	case w.kind == kindUnion:
		return c.fromUnion(w, r, t)
	case r.kind == kindUnion:
		return c.intoUnion(w, r, t)
	case match(w, r) == matchNone:
		return nil, incompatible(w, r)
	case t.Kind() == reflect.Pointer:
		return c.pointer(w, r, t)
	}
	if f := decodeTime(r, t, longOf(w)); f != nil {
		return f, nil
	}
	switch r.kind {
	case kindRecord:
		return c.record(w, r, t)
	case kindArray:
		return c.array(w, r, t)
	case kindMap:
		return c.object(w, r, t)
	default: // has no parts
	}
	if f := decodeScalar(w, r, t); f != nil {
		return f, nil
	}
	return nil, unfit(r, t)
}

func (c *decoderCompiler) pointer(w, r *node, t reflect.Type) (decodeFunc, error) {
	decode, err := c.compile(w, r, t.Elem())
	if err != nil {
		return nil, err
	}
	return behind(t, decode), nil
}

// behind reads into a new value and puts a pointer to it.
func behind(t reflect.Type, decode decodeFunc) decodeFunc {
	elem := t.Elem()
	return func(r *reader, p unsafe.Pointer) error {
		value := reflect.New(elem).UnsafePointer()
		*at[unsafe.Pointer](p) = value
		return decode(r, value)
	}
}

func (c *decoderCompiler) array(w, r *node, t reflect.Type) (decodeFunc, error) {
	if t.Kind() != reflect.Slice {
		return nil, unfit(r, t)
	}
	item, err := c.compile(w.items, r.items, t.Elem())
	if err != nil {
		return nil, err
	}
	size, bytes := t.Elem().Size(), least(w.items, map[*node]int{})
	empty := reflect.MakeSlice(t, 0, 0)
	return func(r *reader, p unsafe.Pointer) error {
		list := reflect.NewAt(t, p).Elem()
		list.Set(empty)
		for i := 0; ; {
			count, err := r.block(bytes)
			if err != nil || count == 0 {
				return err
			}
			list.Grow(count)
			list.SetLen(i + count)
			first := list.UnsafePointer()
			for ; i < list.Len(); i++ {
				if err := item(r, inside(first, uintptr(i)*size)); err != nil {
					return inField(fmt.Sprintf("[%d]", i), err)
				}
			}
		}
	}, nil
}

func (c *decoderCompiler) object(w, r *node, t reflect.Type) (decodeFunc, error) {
	if t.Kind() != reflect.Map || t.Key().Kind() != reflect.String {
		return nil, unfit(r, t)
	}
	item, err := c.compile(w.items, r.items, t.Elem())
	if err != nil {
		return nil, err
	}
	return func(r *reader, p unsafe.Pointer) error {
		object := reflect.NewAt(t, p).Elem()
		object.Set(reflect.MakeMap(t))
		key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		for {
			count, err := r.block(1) // a key has a byte at least
			if err != nil || count == 0 {
				return err
			}
			for range count {
				name, err := r.text()
				if err != nil {
					return err
				}
				key.SetString(name)
				value.SetZero()
				if err := item(r, value.Addr().UnsafePointer()); err != nil {
					return inField(clip(name), err)
				}
				object.SetMapIndex(key, value)
			}
		}
	}, nil
}
