package avro

import (
	"fmt"
	"reflect"
	"unsafe"
)

// readStep reads one field of the writer's record.
type readStep struct {
	name   string
	offset uintptr
	decode decodeFunc
	skip   skipFunc // where the reader does not want it
}

// defaultStep sets a field that the writer does not have.
type defaultStep struct {
	offset  uintptr
	decode  decodeFunc
	encoded []byte
}

// recordDecoder is what a record is read by. A record that contains itself finds
// it here before it is there.
type recordDecoder struct {
	decode decodeFunc
	err    error // why there is none
}

func (c *decoderCompiler) record(w, r *node, t reflect.Type) (decodeFunc, error) {
	if t.Kind() != reflect.Struct {
		return nil, unfit(r, t)
	}
	key := compiled{writer: w, reader: r, typ: t}
	self := c.records[key]
	if self == nil {
		self = &recordDecoder{}
		c.records[key] = self
		if self.decode, self.err = c.newRecord(w, r, t); self.err != nil {
			// What was compiled meanwhile may hold on to it.
			err := fmt.Errorf("%w: %w", ErrIncompatible, self.err)
			self.decode = func(*reader, unsafe.Pointer) error { return err }
		}
	}
	if self.err != nil {
		return nil, self.err
	}
	return func(r *reader, p unsafe.Pointer) error { return self.decode(r, p) }, nil
}

func (c *decoderCompiler) newRecord(w, r *node, t reflect.Type) (decodeFunc, error) {
	ms, err := matchFields(r, t)
	if err != nil {
		return nil, err
	}
	from := writerFields(w, r)
	steps, err := c.steps(w, r, ms, from)
	if err != nil {
		return nil, err
	}
	defaults, err := c.defaults(r, ms, from)
	if err != nil {
		return nil, err
	}
	return func(r *reader, p unsafe.Pointer) error { return readRecord(r, p, steps, defaults) }, nil
}

func readRecord(r *reader, p unsafe.Pointer, steps []readStep, defaults []defaultStep) error {
	if err := r.enter(); err != nil {
		return err
	}
	for i := range steps {
		s := &steps[i]
		var err error
		if s.skip != nil {
			err = s.skip(r)
		} else {
			err = s.decode(r, inside(p, s.offset))
		}
		if err != nil {
			return inField(s.name, err)
		}
	}
	for i := range defaults {
		d := &defaults[i]
		message := *r
		r.buf, r.pos, r.shared = d.encoded, 0, ""
		err := d.decode(r, inside(p, d.offset))
		*r = message
		if err != nil {
			return err
		}
	}
	r.leave()
	return nil
}

// writerFields returns for each field of the reader the place of the writer's
// field that it is read from, or -1: the one of its name, else of an alias.
func writerFields(w, r *node) []int {
	place := make(map[string]int, len(w.fields))
	for i, f := range w.fields {
		place[f.name] = i
	}
	from := make([]int, len(r.fields))
	taken := make(map[int]bool, len(w.fields))
	for i, f := range r.fields {
		from[i] = -1
		if j, ok := place[f.name]; ok {
			from[i], taken[j] = j, true
		}
	}
	for i, f := range r.fields {
		for _, alias := range f.aliases {
			if j, ok := place[alias]; ok && from[i] < 0 && !taken[j] {
				from[i], taken[j] = j, true
			}
		}
	}
	return from
}

func (c *decoderCompiler) steps(w, r *node, ms []*member, from []int) ([]readStep, error) {
	steps := make([]readStep, len(w.fields))
	for i, j := range from {
		if j < 0 || ms[i] == nil {
			continue
		}
		f := &w.fields[j]
		decode, err := c.compile(f.node, r.fields[i].node, ms[i].typ)
		if err != nil {
			return nil, inField(r.fields[i].name, err)
		}
		steps[j] = readStep{name: r.fields[i].name, offset: ms[i].offset, decode: decode}
	}
	for j := range steps {
		if steps[j].decode == nil {
			steps[j] = readStep{name: w.fields[j].name, skip: c.skip(w.fields[j].node)}
		}
	}
	return steps, nil
}

func (c *decoderCompiler) defaults(r *node, ms []*member, from []int) ([]defaultStep, error) {
	var steps []defaultStep
	for i, j := range from {
		f := &r.fields[i]
		if j >= 0 {
			continue
		}
		if !f.hasDefault {
			return nil, inField(f.name, fmt.Errorf("the writer's record %s does not have it, and it has no default", r))
		}
		if ms[i] == nil {
			continue
		}
		decode, err := c.compile(f.node, f.node, ms[i].typ)
		if err != nil {
			return nil, inField(f.name, err)
		}
		steps = append(steps, defaultStep{offset: ms[i].offset, decode: decode, encoded: f.encoded})
	}
	return steps, nil
}
