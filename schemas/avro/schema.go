package avro

import (
	"fmt"

	"github.com/linkedin/goavro/v2"
)

// MaxSchema bounds the size of a schema, in bytes.
const MaxSchema = 1 << 20

// Schema is a parsed Avro schema. It does not change and may be used from many
// goroutines.
type Schema struct {
	text        string
	canonical   string
	fingerprint uint64
	root        *node
}

// Parse reads a schema in its JSON form. What goavro refuses, as names with a
// dash, is refused.
func Parse(text string) (s *Schema, err error) {
	if len(text) > MaxSchema {
		return nil, fmt.Errorf("parse Avro schema: it has %d bytes, above the limit of %d", len(text), MaxSchema)
	}
	if err := validate(text); err != nil {
		return nil, fmt.Errorf("parse Avro schema: %w", err)
	}
	root, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse Avro schema: %w", err)
	}
	canonical := canonicalForm(root)
	return &Schema{text: text, canonical: canonical, fingerprint: fingerprint(canonical), root: root}, nil
}

// validate has goavro look at the schema. A schema may come from a registry, so
// even a panic over it is an error.
func validate(text string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it is broken: %v", r)
		}
	}()
	_, err = goavro.NewCodec(text)
	return err
}

// String returns the schema as it was given to Parse.
func (s *Schema) String() string { return s.text }

// Name is the full name of the schema's record, enum or fixed, else its kind.
func (s *Schema) Name() string { return s.root.String() }

// Canonical is the schema's parsing canonical form: what is left of it when all is
// taken away that does not matter to one who reads bytes written with it.
func (s *Schema) Canonical() string { return s.canonical }

// Fingerprint is the CRC-64-AVRO of the parsing canonical form. Avro's
// single-object encoding carries it, in little endian.
func (s *Schema) Fingerprint() uint64 { return s.fingerprint }

// kind is one of Avro's types.
type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindInt
	kindLong
	kindFloat
	kindDouble
	kindBytes
	kindString
	kindRecord
	kindEnum
	kindFixed
	kindArray
	kindMap
	kindUnion
)

var kindNames = [...]string{
	"null", "boolean", "int", "long", "float", "double", "bytes", "string",
	"record", "enum", "fixed", "array", "map", "union",
}

func (k kind) String() string { return kindNames[k] }

// primitive returns the kind of a primitive type's name.
func primitive(name string) (kind, bool) {
	for k := kindNull; k <= kindString; k++ {
		if kindNames[k] == name {
			return k, true
		}
	}
	return 0, false
}

// node is a type in a schema. A recursive type is a cycle of nodes.
type node struct {
	kind    kind
	logical logical

	// Of a record, an enum and a fixed.
	name    string // without the namespace
	full    string // with it
	aliases []string

	fields      []field        // of a record
	symbols     []string       // of an enum
	symbol      map[string]int // their places
	enumDefault int            // the place of the default symbol, or -1
	size        int            // of a fixed
	items       *node          // of an array; of a map, its values
	branches    []*node        // of a union
}

// field is a field of a record.
type field struct {
	name       string
	aliases    []string
	node       *node
	hasDefault bool
	initial    any    // the default, as JSON
	encoded    []byte // the default, in Avro
}

// String is how a person calls the type.
func (n *node) String() string {
	if n.full != "" {
		return n.full
	}
	return n.kind.String()
}

// null returns the place of null among the branches of a union, or -1.
func (n *node) null() int {
	for i, b := range n.branches {
		if b.kind == kindNull {
			return i
		}
	}
	return -1
}
