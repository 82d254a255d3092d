package avro

import (
	"encoding"
	"fmt"
	"math/big"
	"reflect"
	"unsafe"
)

// number is what an integer of Avro is held in.
type number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// encodeScalar returns nil where the type does not hold the schema.
func encodeScalar(n *node, t reflect.Type) encodeFunc {
	k := t.Kind()
	switch n.kind {
	case kindNull:
		if t == reflect.TypeFor[struct{}]() {
			return func(*writer, unsafe.Pointer) error { return nil }
		}
	case kindBoolean:
		if k == reflect.Bool {
			return func(w *writer, p unsafe.Pointer) error { w.boolean(*at[bool](p)); return nil }
		}
	case kindInt, kindLong:
		return encodeInteger(n, k)
	case kindFloat:
		if k == reflect.Float32 {
			return func(w *writer, p unsafe.Pointer) error { w.float(*at[float32](p)); return nil }
		}
	case kindDouble:
		if k == reflect.Float64 {
			return func(w *writer, p unsafe.Pointer) error { w.double(*at[float64](p)); return nil }
		}
	case kindString:
		if isText(t) {
			return encodeMarshaler(t)
		}
		if k == reflect.String {
			return func(w *writer, p unsafe.Pointer) error { w.text(*at[string](p)); return nil }
		}
	case kindEnum:
		return encodeEnum(n, t)
	case kindBytes:
		if t == reflect.TypeFor[big.Rat]() && n.logical.name == logicalDecimal {
			return encodeDecimal(n)
		}
		if isBytes(t) {
			return func(w *writer, p unsafe.Pointer) error { w.bytes(*at[[]byte](p)); return nil }
		}
	case kindFixed:
		return encodeFixed(n, t)
	default: // has parts
	}
	return nil
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// isText tells whether a type writes and reads itself as text.
func isText(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[encoding.TextMarshaler]()) && p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func marshal(t reflect.Type, p unsafe.Pointer) ([]byte, error) {
	m, _ := reflect.TypeAssert[encoding.TextMarshaler](reflect.NewAt(t, p))
	return m.MarshalText()
}

func encodeMarshaler(t reflect.Type) encodeFunc {
	return func(w *writer, p unsafe.Pointer) error {
		b, err := marshal(t, p)
		if err == nil {
			w.bytes(b)
		}
		return err
	}
}

func encodeEnum(n *node, t reflect.Type) encodeFunc {
	write := func(w *writer, symbol string) error {
		i, ok := n.symbol[symbol]
		if !ok {
			return fmt.Errorf("%q is not a symbol of enum %s", clip(symbol), n)
		}
		w.long(int64(i))
		return nil
	}
	switch {
	case isText(t):
		return func(w *writer, p unsafe.Pointer) error {
			b, err := marshal(t, p)
			if err != nil {
				return err
			}
			return write(w, string(b))
		}
	case t.Kind() == reflect.String:
		return func(w *writer, p unsafe.Pointer) error { return write(w, *at[string](p)) }
	}
	return nil
}

// clip bounds what an error repeats of a value.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}

func encodeFixed(n *node, t reflect.Type) encodeFunc {
	switch {
	case t == reflect.TypeFor[big.Rat]() && n.logical.name == logicalDecimal:
		return encodeDecimal(n)
	case t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8 && t.Len() == n.size:
		return func(w *writer, p unsafe.Pointer) error {
			w.buf = append(w.buf, octetsAt(p, n.size)...)
			return nil
		}
	case isBytes(t):
		return func(w *writer, p unsafe.Pointer) error {
			b := *at[[]byte](p)
			if len(b) != n.size {
				return fmt.Errorf("%d bytes are no %s, which has %d", len(b), n, n.size)
			}
			w.buf = append(w.buf, b...)
			return nil
		}
	}
	return nil
}

func encodeInteger(n *node, k reflect.Kind) encodeFunc {
	switch k {
	case reflect.Int:
		return integerEncoder[int](n)
	case reflect.Int8:
		return integerEncoder[int8](n)
	case reflect.Int16:
		return integerEncoder[int16](n)
	case reflect.Int32:
		return integerEncoder[int32](n)
	case reflect.Int64:
		return integerEncoder[int64](n)
	case reflect.Uint:
		return integerEncoder[uint](n)
	case reflect.Uint8:
		return integerEncoder[uint8](n)
	case reflect.Uint16:
		return integerEncoder[uint16](n)
	case reflect.Uint32:
		return integerEncoder[uint32](n)
	case reflect.Uint64:
		return integerEncoder[uint64](n)
	default:
		return nil
	}
}

func integerEncoder[N number](n *node) encodeFunc {
	if n.kind == kindInt {
		return func(w *writer, p unsafe.Pointer) error {
			v := *at[N](p)
			if i := int64(v); int64(int32(i)) != i || (i < 0) != (v < 0) {
				return fmt.Errorf("%d is no int: it has more than 32 bits", v)
			}
			w.long(int64(v))
			return nil
		}
	}
	return func(w *writer, p unsafe.Pointer) error {
		v := *at[N](p)
		if (int64(v) < 0) != (v < 0) {
			return fmt.Errorf("%d is no long: it has more than 63 bits", v)
		}
		w.long(int64(v))
		return nil
	}
}
