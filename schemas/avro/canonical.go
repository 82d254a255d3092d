package avro

import (
	"strconv"
	"strings"
)

// canonicalForm writes the parsing canonical form of the specification. It is
// written here because goavro's keeps {"type":"int"} where a logical type was, so
// that its fingerprint is not that of others.
func canonicalForm(n *node) string {
	var b strings.Builder
	canonical(&b, n, map[*node]bool{})
	return b.String()
}

func canonical(b *strings.Builder, n *node, seen map[*node]bool) {
	if n.full != "" && seen[n] {
		b.WriteString(strconv.Quote(n.full))
		return
	}
	seen[n] = true
	switch n.kind {
	case kindRecord:
		b.WriteString(`{"name":"` + n.full + `","type":"record","fields":[`)
		for i, f := range n.fields {
			comma(b, i)
			b.WriteString(`{"name":"` + f.name + `","type":`)
			canonical(b, f.node, seen)
			b.WriteByte('}')
		}
		b.WriteString("]}")
	case kindEnum:
		b.WriteString(`{"name":"` + n.full + `","type":"enum","symbols":[`)
		for i, s := range n.symbols {
			comma(b, i)
			b.WriteString(`"` + s + `"`)
		}
		b.WriteString("]}")
	case kindFixed:
		b.WriteString(`{"name":"` + n.full + `","type":"fixed","size":` + strconv.Itoa(n.size) + "}")
	case kindArray:
		b.WriteString(`{"type":"array","items":`)
		canonical(b, n.items, seen)
		b.WriteByte('}')
	case kindMap:
		b.WriteString(`{"type":"map","values":`)
		canonical(b, n.items, seen)
		b.WriteByte('}')
	case kindUnion:
		b.WriteByte('[')
		for i, branch := range n.branches {
			comma(b, i)
			canonical(b, branch, seen)
		}
		b.WriteByte(']')
	default:
		b.WriteString(`"` + n.kind.String() + `"`)
	}
}

func comma(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}

// emptyFingerprint is the polynomial of CRC-64-AVRO, and the fingerprint of
// nothing.
const emptyFingerprint = 0xc15d213aa4d7a795

// fingerprint is the CRC-64-AVRO of the specification's "Schema Fingerprints".
// It is taken once a schema, so it needs no table.
func fingerprint(text string) uint64 {
	crc := uint64(emptyFingerprint)
	for i := range len(text) {
		crc ^= uint64(text[i])
		for range 8 {
			crc = crc>>1 ^ emptyFingerprint&-(crc&1)
		}
	}
	return crc
}
