package avro

import (
	"encoding"
	"fmt"
	"math/big"
	"reflect"
	"unsafe"
)

// longOf returns how an integer of the writer's is read.
func longOf(w *node) func(*reader) (int64, error) {
	if w.kind == kindInt {
		return (*reader).int
	}
	return (*reader).long
}

// decodeScalar returns nil where the type does not hold the reader's schema. The
// writer's is known to match.
func decodeScalar(w, r *node, t reflect.Type) decodeFunc {
	k := t.Kind()
	switch r.kind {
	case kindNull:
		if t == reflect.TypeFor[struct{}]() {
			return func(*reader, unsafe.Pointer) error { return nil }
		}
	case kindBoolean:
		if k == reflect.Bool {
			return set((*reader).boolean)
		}
	case kindInt, kindLong:
		return decodeInteger(w, k)
	case kindFloat:
		if k == reflect.Float32 {
			return set(floatOf(w))
		}
	case kindDouble:
		if k == reflect.Float64 {
			return set(doubleOf(w))
		}
	case kindString:
		if isText(t) {
			return decodeUnmarshaler(t, (*reader).bytes)
		}
		if k == reflect.String {
			return set((*reader).text)
		}
	case kindEnum:
		return decodeEnum(w, r, t)
	case kindBytes:
		if t == reflect.TypeFor[big.Rat]() && r.logical.name == logicalDecimal {
			return decodeDecimal(r, (*reader).bytes)
		}
		if isBytes(t) {
			return decodeBytes((*reader).bytes)
		}
	case kindFixed:
		return decodeFixed(r, t)
	default: // has parts
	}
	return nil
}

// set reads a value and puts it.
func set[V any](read func(*reader) (V, error)) decodeFunc {
	return func(r *reader, p unsafe.Pointer) error {
		v, err := read(r)
		if err == nil {
			*at[V](p) = v
		}
		return err
	}
}

func floatOf(w *node) func(*reader) (float32, error) {
	if w.kind == kindFloat {
		return (*reader).float
	}
	long := longOf(w)
	return func(r *reader) (float32, error) { v, err := long(r); return float32(v), err }
}

func doubleOf(w *node) func(*reader) (float64, error) {
	switch w.kind {
	case kindDouble:
		return (*reader).double
	case kindFloat:
		return func(r *reader) (float64, error) { v, err := r.float(); return float64(v), err }
	default:
		long := longOf(w)
		return func(r *reader) (float64, error) { v, err := long(r); return float64(v), err }
	}
}

// decodeBytes copies: the message's bytes are not the program's to change.
func decodeBytes(read func(*reader) ([]byte, error)) decodeFunc {
	return func(r *reader, p unsafe.Pointer) error {
		b, err := read(r)
		if err == nil {
			*at[[]byte](p) = append(make([]byte, 0, len(b)), b...)
		}
		return err
	}
}

func decodeUnmarshaler(t reflect.Type, read func(*reader) ([]byte, error)) decodeFunc {
	return func(r *reader, p unsafe.Pointer) error {
		b, err := read(r)
		if err != nil {
			return err
		}
		// A copy, since an UnmarshalText may keep or change what it gets.
		u, _ := reflect.TypeAssert[encoding.TextUnmarshaler](reflect.NewAt(t, p))
		return u.UnmarshalText([]byte(string(b)))
	}
}

// decodeEnum translates the writer's symbols to the reader's once.
func decodeEnum(w, r *node, t reflect.Type) decodeFunc {
	symbols := make([]string, len(w.symbols))
	known := make([]bool, len(w.symbols))
	for i, s := range w.symbols {
		if _, ok := r.symbol[s]; ok {
			symbols[i], known[i] = s, true
		} else if r.enumDefault >= 0 {
			symbols[i], known[i] = r.symbols[r.enumDefault], true
		}
	}
	symbol := func(rd *reader) (string, error) {
		i, err := rd.index(len(symbols), "symbol")
		if err == nil && !known[i] {
			err = fmt.Errorf("%w: %q is not a symbol of enum %s, which has no default", ErrIncompatible, w.symbols[i], r)
		}
		if err != nil {
			return "", err
		}
		return symbols[i], nil
	}
	switch {
	case isText(t):
		return decodeUnmarshaler(t, func(rd *reader) ([]byte, error) { s, err := symbol(rd); return []byte(s), err })
	case t.Kind() == reflect.String:
		return set(symbol)
	}
	return nil
}

func decodeFixed(n *node, t reflect.Type) decodeFunc {
	take := func(r *reader) ([]byte, error) { return r.take(n.size) }
	switch {
	case t == reflect.TypeFor[big.Rat]() && n.logical.name == logicalDecimal:
		return decodeDecimal(n, take)
	case t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8 && t.Len() == n.size:
		return func(r *reader, p unsafe.Pointer) error {
			b, err := take(r)
			copy(octetsAt(p, n.size), b)
			return err
		}
	case isBytes(t):
		return decodeBytes(take)
	}
	return nil
}

func decodeInteger(w *node, k reflect.Kind) decodeFunc {
	switch k {
	case reflect.Int:
		return integerDecoder[int](w)
	case reflect.Int8:
		return integerDecoder[int8](w)
	case reflect.Int16:
		return integerDecoder[int16](w)
	case reflect.Int32:
		return integerDecoder[int32](w)
	case reflect.Int64:
		return integerDecoder[int64](w)
	case reflect.Uint:
		return integerDecoder[uint](w)
	case reflect.Uint8:
		return integerDecoder[uint8](w)
	case reflect.Uint16:
		return integerDecoder[uint16](w)
	case reflect.Uint32:
		return integerDecoder[uint32](w)
	case reflect.Uint64:
		return integerDecoder[uint64](w)
	default:
		return nil
	}
}

func integerDecoder[N number](w *node) decodeFunc {
	long := longOf(w)
	return func(r *reader, p unsafe.Pointer) error {
		v, err := long(r)
		if err != nil {
			return err
		}
		n := N(v)
		if int64(n) != v || (n < 0) != (v < 0) {
			return fmt.Errorf("%d does not fit %T", v, n)
		}
		*at[N](p) = n
		return nil
	}
}
