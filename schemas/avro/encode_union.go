package avro

import (
	"errors"
	"reflect"
	"unsafe"
)

// union compiles the three shapes of a union: null and one type, one type alone,
// and more.
func (c *encoderCompiler) union(n *node, t reflect.Type) (encodeFunc, error) {
	null := n.null()
	if null >= 0 && isNilable(t) {
		return c.nullable(n, t, null)
	}
	if len(n.branches) == 1 {
		encode, err := c.compile(n.branches[0], t)
		if err != nil {
			return nil, err
		}
		return func(w *writer, p unsafe.Pointer) error {
			w.long(0)
			return encode(w, p)
		}, nil
	}
	if t.Kind() == reflect.Pointer {
		return c.pointer(n, t)
	}
	if err := fitsUnion(n, t); err != nil {
		return nil, err
	}
	return c.choice(n, t, null)
}

// isNilable tells whether nil can stand for null.
func isNilable(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map
}

// fitsUnion says what is wrong with a type that shall hold one of several.
func fitsUnion(n *node, t reflect.Type) error {
	if t.Kind() == reflect.Struct && len(n.branches)-min(1, n.null()+1) > 1 {
		return nil
	}
	if n.null() >= 0 && len(n.branches) == 2 {
		return errors.New(t.String() + " cannot be null: use *" + t.String())
	}
	return errors.New(t.String() + " does not hold a union: use a struct with a pointer for each of its types")
}

// nullable writes nil as null, and all else as what is left of the union.
func (c *encoderCompiler) nullable(n *node, t reflect.Type, null int) (encodeFunc, error) {
	encode, err := c.rest(n, t, null)
	if err != nil {
		return nil, err
	}
	return func(w *writer, p unsafe.Pointer) error {
		// The first word of a slice and a map is a pointer, too, and it is nil
		// where they are.
		value := *at[unsafe.Pointer](p)
		if value == nil {
			w.long(int64(null))
			return nil
		}
		return encode(w, p)
	}, nil
}

func (c *encoderCompiler) rest(n *node, t reflect.Type, null int) (encodeFunc, error) {
	if len(n.branches) != 2 {
		if t.Kind() != reflect.Pointer {
			return nil, fitsUnion(n, t)
		}
		if len(n.branches) == 1 {
			return nil, unfit(n.branches[0], t)
		}
		encode, err := c.compile(n, t.Elem())
		if err != nil {
			return nil, err
		}
		return func(w *writer, p unsafe.Pointer) error { return encode(w, *at[unsafe.Pointer](p)) }, nil
	}
	other := int64(1 - null)
	encode, err := c.compile(n.branches[other], t)
	if err != nil {
		return nil, err
	}
	return func(w *writer, p unsafe.Pointer) error {
		w.long(other)
		return encode(w, p)
	}, nil
}

var (
	errNone = errors.New("none of the union's types is set, and it has no null")
	errTwo  = errors.New("more than one of the union's types is set")
)

// choice writes the one pointer of a struct that is not nil.
func (c *encoderCompiler) choice(n *node, t reflect.Type, null int) (encodeFunc, error) {
	ms, err := matchBranches(n, t)
	if err != nil {
		return nil, err
	}
	encode := make([]encodeFunc, len(ms))
	for i, m := range ms {
		if m == nil {
			continue
		}
		if encode[i], err = c.compile(n.branches[i], m.typ.Elem()); err != nil {
			return nil, inField(m.name, err)
		}
	}
	return func(w *writer, p unsafe.Pointer) error {
		chosen := null
		var value unsafe.Pointer
		for i, m := range ms {
			if m == nil {
				continue
			}
			if v := *at[unsafe.Pointer](inside(p, m.offset)); v != nil {
				if value != nil {
					return errTwo
				}
				chosen, value = i, v
			}
		}
		if chosen < 0 {
			return errNone
		}
		w.long(int64(chosen))
		if value == nil {
			return nil
		}
		return encode[chosen](w, value)
	}, nil
}
