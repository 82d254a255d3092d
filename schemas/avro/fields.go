package avro

import (
	"fmt"
	"reflect"
	"strings"
)

// member is a field of a struct and where it lies in it.
type member struct {
	name   string
	offset uintptr
	typ    reflect.Type
	tagged bool
	used   bool
}

// members returns the fields of a struct that can be in a record. Those of an
// embedded struct without a tag are its own.
func members(t reflect.Type) []*member {
	var out []*member
	for f := range t.Fields() {
		name, tagged := tagOf(f)
		if name == "-" {
			continue
		}
		if f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct {
			for _, m := range members(f.Type) {
				m.offset += f.Offset
				out = append(out, m)
			}
			continue
		}
		if f.IsExported() {
			out = append(out, &member{name: name, offset: f.Offset, typ: f.Type, tagged: tagged})
		}
	}
	return out
}

// tagOf returns what a field is called. "-" leaves it out.
func tagOf(f reflect.StructField) (name string, tagged bool) {
	for _, key := range [...]string{"avro", "json"} {
		tag, ok := f.Tag.Lookup(key)
		if !ok {
			continue
		}
		if name, _, _ = strings.Cut(tag, ","); name != "" {
			return name, true
		}
	}
	return f.Name, false
}

// find returns the member of one of these names: the exact one, or one that
// differs in case.
func find(ms []*member, names ...string) *member {
	for _, name := range names {
		for _, m := range ms {
			if m.name == name {
				return m
			}
		}
	}
	for _, name := range names {
		for _, m := range ms {
			if strings.EqualFold(m.name, name) {
				return m
			}
		}
	}
	return nil
}

// matchFields returns the member for each field of the record, nil for one that
// has a default. It holds the struct and the record to be of one mind.
func matchFields(n *node, t reflect.Type) ([]*member, error) {
	ms := members(t)
	out := make([]*member, len(n.fields))
	for i, f := range n.fields {
		m := find(ms, f.name)
		switch {
		case m == nil && !f.hasDefault:
			return nil, fmt.Errorf("field %s of record %s has no default, and %s has no field for it: add one, or tag one with `avro:%q`", f.name, n, t, f.name)
		case m == nil:
			continue
		case m.used:
			return nil, fmt.Errorf("two fields of record %s belong to the field %s of %s: use avro tags", n, m.name, t)
		}
		m.used = true
		out[i] = m
	}
	for _, m := range ms {
		if !m.used {
			return nil, fmt.Errorf("field %s of %s is not in record %s: add it to the schema, or tag it with `avro:\"-\"`", m.name, t, n)
		}
	}
	return out, nil
}

// matchBranches returns the member for each type of the union, nil for null.
func matchBranches(n *node, t reflect.Type) ([]*member, error) {
	ms := members(t)
	out := make([]*member, len(n.branches))
	for i, b := range n.branches {
		if b.kind == kindNull {
			continue
		}
		m := find(ms, b.String(), b.name)
		if m == nil || m.used || m.typ.Kind() != reflect.Pointer {
			return nil, fmt.Errorf("a union with %s is a struct with a pointer for each of its types, and %s has none for %s: tag one with `avro:%q`", b, t, b, b.String())
		}
		m.used = true
		out[i] = m
	}
	for _, m := range ms {
		if !m.used {
			return nil, fmt.Errorf("field %s of %s is not a type of the union: tag it with `avro:\"-\"`", m.name, t)
		}
	}
	return out, nil
}
