package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Bounds of what is read. They keep a small message from costing much.
const (
	// maxDepth bounds how deep records may lie in each other.
	maxDepth = 500

	// maxEmpty bounds how many items that take no bytes a message may hold.
	maxEmpty = 1 << 16

	// maxShared is up to which size a message's strings share one copy of it. A
	// string of a larger one is copied alone, so that it does not keep all alive.
	maxShared = 4096
)

var (
	errShort    = errors.New("the bytes end too early")
	errVarint   = errors.New("a number has more than 64 bits")
	errDepth    = fmt.Errorf("records lie more than %d deep in each other", maxDepth)
	errNegative = errors.New("a length is negative")
)

// reader reads one message.
type reader struct {
	buf    []byte
	pos    int
	depth  int
	empty  int    // items without bytes so far
	shared string // a copy of buf, or ""
}

func (r *reader) left() int { return len(r.buf) - r.pos }

func (r *reader) long() (int64, error) {
	if r.pos < len(r.buf) && r.buf[r.pos] < 0x80 { // one byte: most are small
		b := r.buf[r.pos]
		r.pos++
		return int64(b>>1) ^ -int64(b&1), nil
	}
	v, n := binary.Varint(r.buf[r.pos:])
	switch {
	case n == 0:
		return 0, errShort
	case n < 0:
		return 0, errVarint
	}
	r.pos += n
	return v, nil
}

func (r *reader) int() (int64, error) {
	v, err := r.long()
	if err == nil && int64(int32(v)) != v {
		return 0, fmt.Errorf("%d is no int: it has more than 32 bits", v)
	}
	return v, err
}

func (r *reader) float() (float32, error) {
	b, err := r.take(4)
	if err != nil {
		return 0, err
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(b)), nil
}

func (r *reader) double() (float64, error) {
	b, err := r.take(8)
	if err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
}

func (r *reader) boolean() (bool, error) {
	b, err := r.take(1)
	if err != nil {
		return false, err
	}
	if b[0] > 1 {
		return false, fmt.Errorf("a boolean is %d, and can be 0 or 1", b[0])
	}
	return b[0] == 1, nil
}

// take returns the next n bytes. They are the message's own.
func (r *reader) take(n int) ([]byte, error) {
	if n > r.left() {
		return nil, errShort
	}
	b := r.buf[r.pos : r.pos+n]
	r.pos += n
	return b, nil
}

// bytes returns bytes with their length before them. They are the message's own.
func (r *reader) bytes() ([]byte, error) {
	n, err := r.long()
	switch {
	case err != nil:
		return nil, err
	case n < 0:
		return nil, errNegative
	case n > int64(r.left()):
		return nil, errShort
	}
	return r.take(int(n))
}

// text returns a string of its own memory.
func (r *reader) text() (string, error) {
	b, err := r.bytes()
	switch {
	case err != nil:
		return "", err
	case len(b) == 0:
		return "", nil
	case len(r.buf) > maxShared:
		return string(b), nil
	case r.shared == "":
		r.shared = string(r.buf)
	}
	return r.shared[r.pos-len(b) : r.pos], nil
}

// index returns the place of a branch or a symbol among n.
func (r *reader) index(n int, of string) (int, error) {
	i, err := r.long()
	if err != nil {
		return 0, err
	}
	if i < 0 || i >= int64(n) {
		return 0, fmt.Errorf("%s %d of %d", of, i, n)
	}
	return int(i), nil
}

// block returns how many items the next block of an array or a map has, 0 at its
// end. least is how many bytes an item has at least.
func (r *reader) block(least int) (int, error) {
	n, err := r.long()
	if err != nil || n == 0 {
		return 0, err
	}
	if n < 0 { // then the block's size in bytes follows
		n = -n
		size, err := r.long()
		switch {
		case err != nil:
			return 0, err
		case size < 0 || n < 0:
			return 0, errNegative
		case size > int64(r.left()):
			return 0, errShort
		}
	}
	if least == 0 {
		if n > int64(maxEmpty-r.empty) {
			return 0, fmt.Errorf("there are more than %d items without bytes", maxEmpty)
		}
		r.empty += int(n)
	} else if n > int64(r.left()/least) {
		return 0, errShort
	}
	return int(n), nil
}

// enter is called when a record begins, and leave when it ends.
func (r *reader) enter() error {
	r.depth++
	if r.depth > maxDepth {
		return errDepth
	}
	return nil
}

func (r *reader) leave() { r.depth-- }

// least is how many bytes a value of the type has at least. known keeps what was
// found; a record within itself counts as nothing there.
func least(n *node, known map[*node]int) int {
	switch n.kind {
	case kindNull:
		return 0
	case kindFloat:
		return 4
	case kindDouble:
		return 8
	case kindFixed:
		return n.size
	case kindRecord:
		if size, ok := known[n]; ok {
			return size
		}
		known[n] = 0
		size := 0
		for _, f := range n.fields {
			size = min(size+least(f.node, known), MaxSchema)
		}
		known[n] = size
		return size
	default:
		return 1
	}
}

// writer writes one message.
type writer struct {
	buf    []byte
	depth  int
	values int // of a default
}

func (w *writer) long(v int64) { w.buf = binary.AppendVarint(w.buf, v) }

func (w *writer) float(v float32) {
	w.buf = binary.LittleEndian.AppendUint32(w.buf, math.Float32bits(v))
}

func (w *writer) double(v float64) {
	w.buf = binary.LittleEndian.AppendUint64(w.buf, math.Float64bits(v))
}

func (w *writer) boolean(v bool) {
	if v {
		w.buf = append(w.buf, 1)
		return
	}
	w.buf = append(w.buf, 0)
}

func (w *writer) bytes(v []byte) {
	w.long(int64(len(v)))
	w.buf = append(w.buf, v...)
}

func (w *writer) text(v string) {
	w.long(int64(len(v)))
	w.buf = append(w.buf, v...)
}

func (w *writer) enter() error {
	w.depth++
	if w.depth > maxDepth {
		return errDepth
	}
	return nil
}

func (w *writer) leave() { w.depth-- }

// fieldError says in which field of the outermost record something is wrong.
type fieldError struct {
	path []string // the innermost field first
	err  error
}

func (e *fieldError) Error() string {
	var b strings.Builder
	b.WriteString("field ")
	for i, name := range slices.Backward(e.path) {
		if i < len(e.path)-1 && !strings.HasPrefix(name, "[") {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String() + ": " + e.err.Error()
}

func (e *fieldError) Unwrap() error { return e.err }

// maxPath bounds how many fields an error names.
const maxPath = 32

// inField returns err with the field's name put before those it has. It copies:
// what was found when a decoder was compiled may be an error of many values.
func inField(name string, err error) error {
	inner, ok := err.(*fieldError) //nolint:errorlint // one that is wrapped keeps what it is wrapped in
	if !ok {
		return &fieldError{path: []string{name}, err: err}
	}
	if len(inner.path) == maxPath {
		return inner
	}
	return &fieldError{path: append(slices.Clip(inner.path), name), err: inner.err}
}
