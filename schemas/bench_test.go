package schemas_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/penstock/penstock/schemas"
)

// hop is what a message carries between two stages.
var hop = schemas.Envelope{
	ID: "E-thLw7HNZuW8qU-ydsvLg", Job: "order-1", Parent: "i5XUbfO3h9AzLgyFTDbKOQ",
	Type: "orders.lines", Source: "orders.split", ContentType: schemas.ContentTypeJSON,
	Time: time.Date(2026, 11, 22, 21, 20, 0, 0, time.UTC),
}

func BenchmarkReadEnvelope(b *testing.B) {
	hs, _ := schemas.AppendHeaders([]header(nil), nil, &hop)
	key, value := []byte("customer-1"), []byte("{}")
	for _, bench := range []struct {
		name string
		text func([]byte) string
	}{
		{"own strings", nil},
		// A caller that owns the record's bytes for as long as the strings.
		{"shared strings", func(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			var e schemas.Envelope
			for b.Loop() {
				if _, err := schemas.ReadEnvelope(&e, key, value, hs, bench.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendHeaders(b *testing.B) {
	b.ReportAllocs()
	var (
		hs    []header
		arena []byte
	)
	for b.Loop() {
		hs, arena = schemas.AppendHeaders(hs[:0], arena[:0], &hop)
	}
}

// With what is common made once, as for the outputs of a stage.
func BenchmarkAppendOwn(b *testing.B) {
	b.ReportAllocs()
	common := schemas.AppendCommon([]header(nil), &hop)
	var (
		hs    []header
		arena []byte
	)
	for b.Loop() {
		hs, arena = schemas.AppendOwn(append(hs[:0], common...), arena[:0], &hop)
	}
}

func BenchmarkDeriveID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		schemas.DeriveID(hop.ID, hop.Source, 3)
	}
}
