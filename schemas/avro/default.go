package avro

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// encodeDefaults turns the defaults of a record's fields into Avro, so that a
// field that a writer does not have is read as if it had written its default.
func encodeDefaults(n *node) error {
	for i := range n.fields {
		f := &n.fields[i]
		if !f.hasDefault {
			continue
		}
		var w writer
		if err := encodeJSON(&w, f.node, f.initial); err != nil {
			return fmt.Errorf("record %s: the default of field %s: %w", n.full, f.name, err)
		}
		f.encoded = w.buf
	}
	return nil
}

// encodeJSON encodes a default. A default of a union is of the first type that it
// fits: the specification's older releases want the first of all, which is found
// first here, too.
func encodeJSON(w *writer, n *node, v any) error {
	if err := w.enter(); err != nil {
		return err
	}
	defer w.leave()
	// Defaults within defaults can double at each level.
	w.values++
	if w.values > MaxSchema {
		return errors.New("it has too many values")
	}
	switch n.kind {
	case kindNull:
		if v != nil {
			return mismatch(n, v)
		}
	case kindBoolean:
		b, ok := v.(bool)
		if !ok {
			return mismatch(n, v)
		}
		w.boolean(b)
	case kindInt, kindLong, kindFloat, kindDouble:
		return encodeNumber(w, n, v)
	case kindBytes, kindString, kindFixed, kindEnum:
		return encodeText(w, n, v)
	case kindArray:
		return encodeList(w, n, v)
	case kindMap:
		return encodeObject(w, n, v)
	case kindRecord:
		return encodeRecord(w, n, v)
	case kindUnion:
		start := len(w.buf)
		for i, b := range n.branches {
			w.long(int64(i))
			if encodeJSON(w, b, v) == nil {
				return nil
			}
			w.buf = w.buf[:start]
		}
		return mismatch(n, v)
	}
	return nil
}

func mismatch(n *node, v any) error { return fmt.Errorf("%v is no %s", v, n) }

func encodeNumber(w *writer, n *node, v any) error {
	number, ok := v.(json.Number)
	if !ok {
		return mismatch(n, v)
	}
	switch n.kind {
	case kindInt, kindLong:
		i, err := number.Int64()
		if err != nil || n.kind == kindInt && int64(int32(i)) != i {
			return mismatch(n, v)
		}
		w.long(i)
	default:
		f, err := number.Float64()
		if err != nil || n.kind == kindFloat && math.Abs(f) > math.MaxFloat32 {
			return mismatch(n, v)
		}
		if n.kind == kindFloat {
			w.float(float32(f))
		} else {
			w.double(f)
		}
	}
	return nil
}

func encodeText(w *writer, n *node, v any) error {
	s, ok := v.(string)
	if !ok {
		return mismatch(n, v)
	}
	switch n.kind {
	case kindString:
		w.text(s)
		return nil
	case kindEnum:
		i, ok := n.symbol[s]
		if !ok {
			return mismatch(n, v)
		}
		w.long(int64(i))
		return nil
	default:
		return encodeOctets(w, n, s)
	}
}

// encodeOctets encodes bytes and a fixed.
func encodeOctets(w *writer, n *node, s string) error {
	b := make([]byte, 0, len(s)) // each code point is a byte
	for _, c := range s {
		if c > math.MaxUint8 {
			return errors.New("a byte is written as a character above U+00FF")
		}
		b = append(b, byte(c))
	}
	if n.kind == kindBytes {
		w.bytes(b)
		return nil
	}
	if len(b) != n.size {
		return fmt.Errorf("%d bytes are no %s, which has %d", len(b), n, n.size)
	}
	w.buf = append(w.buf, b...)
	return nil
}

func encodeList(w *writer, n *node, v any) error {
	list, ok := v.([]any)
	if !ok {
		return mismatch(n, v)
	}
	if len(list) > 0 {
		w.long(int64(len(list)))
		for _, item := range list {
			if err := encodeJSON(w, n.items, item); err != nil {
				return err
			}
		}
	}
	w.long(0)
	return nil
}

func encodeObject(w *writer, n *node, v any) error {
	object, ok := v.(map[string]any)
	if !ok {
		return mismatch(n, v)
	}
	if len(object) > 0 {
		w.long(int64(len(object)))
		for key, item := range object {
			w.text(key)
			if err := encodeJSON(w, n.items, item); err != nil {
				return err
			}
		}
	}
	w.long(0)
	return nil
}

func encodeRecord(w *writer, n *node, v any) error {
	object, ok := v.(map[string]any)
	if !ok {
		return mismatch(n, v)
	}
	for _, f := range n.fields {
		value, ok := object[f.name]
		if !ok {
			if !f.hasDefault {
				return fmt.Errorf("field %s of %s is missing", f.name, n)
			}
			value = f.initial
		}
		if err := encodeJSON(w, f.node, value); err != nil {
			return inField(f.name, err)
		}
	}
	return nil
}
