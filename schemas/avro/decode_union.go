package avro

import (
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// fromUnion reads what the writer chose from a union. Types that the reader does
// not know are errors of the values that have them, unless it knows none.
func (c *decoderCompiler) fromUnion(w, r *node, t reflect.Type) (decodeFunc, error) {
	decode := make([]decodeFunc, len(w.branches))
	var firstErr error
	failed := 0
	for i, b := range w.branches {
		var err error
		if decode[i], err = c.compile(b, r, t); err != nil {
			if firstErr == nil {
				firstErr = err
			}
			failed++
			decode[i] = func(*reader, unsafe.Pointer) error { return fmt.Errorf("%w: %w", ErrIncompatible, err) }
		}
	}
	if failed == len(decode) || failed > 0 && w == r {
		return nil, firstErr
	}
	return func(r *reader, p unsafe.Pointer) error {
		i, err := r.index(len(decode), "type of a union")
		if err != nil {
			return err
		}
		return decode[i](r, p)
	}, nil
}

// intoUnion reads what is not a union, or one type of it, as the reader's union.
func (c *decoderCompiler) intoUnion(w, r *node, t reflect.Type) (decodeFunc, error) {
	place := chosen(w, r)
	if place < 0 {
		return nil, incompatible(w, r)
	}
	branch, null := r.branches[place], r.null()
	switch {
	case len(r.branches) == 1 && !isNullable(r, t):
		return c.compile(w, branch, t)
	case isNullable(r, t):
		if place == null {
			return func(*reader, unsafe.Pointer) error { return nil }, nil // a zero value is nil
		}
		if len(r.branches) == 2 {
			return c.compile(w, branch, t)
		}
	}
	if t.Kind() == reflect.Pointer {
		return c.pointer(w, r, t)
	}
	if err := fitsUnion(r, t); err != nil {
		return nil, err
	}
	ms, err := matchBranches(r, t)
	if err != nil {
		return nil, err
	}
	if place == null {
		return func(*reader, unsafe.Pointer) error { return nil }, nil
	}
	m := ms[place]
	decode, err := c.compile(w, branch, m.typ.Elem())
	if err != nil {
		return nil, inField(m.name, err)
	}
	decode = behind(m.typ, decode)
	return func(r *reader, p unsafe.Pointer) error { return decode(r, inside(p, m.offset)) }, nil
}

func isNullable(r *node, t reflect.Type) bool { return r.null() >= 0 && isNilable(t) }

// chosen returns the place of the reader's type that reads w, or -1.
func chosen(w, r *node) int {
	for _, want := range [...]matching{matchExact, matchPromotion} {
		if i := slices.IndexFunc(r.branches, func(b *node) bool { return match(w, b) == want }); i >= 0 {
			return i
		}
	}
	return -1
}
