package sinks

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas/avro"
)

// AvroFiles is [JSONLines] with Avro object container files in place of JSON lines:
// each file has the schema, with which any reader of Avro can read it, and its blocks
// are compressed with deflate.
func AvroFiles[T any](dir, schema string, cfg RollConfig) pipeline.Filter[T, pipeline.None] {
	return newRollSink(dir, cfg, &avroFile[T]{schema: schema})
}

// avroFile lays out an object container file as the specification of Avro 1.12 has
// it: a header with the schema and a marker, then blocks, each with the marker
// behind it.
type avroFile[T any] struct {
	schema  string
	encoder *avro.Encoder[T]
}

const (
	avroMagic  = "Obj\x01"
	avroMarker = 16 // bytes
)

func (f *avroFile[T]) open() error {
	schema, err := avro.Parse(f.schema)
	if err != nil {
		return err
	}
	f.encoder, err = avro.NewEncoder[T](schema)
	return err
}

func (f *avroFile[T]) append(dst []byte, v *T) ([]byte, error) {
	longer, err := f.encoder.Append(dst, v)
	if err != nil {
		return dst, err
	}
	return longer, nil
}

// whole makes a file of one block. It is in memory anyhow, and a file is small.
func (f *avroFile[T]) whole(messages []byte, count int) ([]byte, error) {
	var marker [avroMarker]byte
	_, _ = rand.Read(marker[:]) // it never fails
	b := []byte(avroMagic)
	b = binary.AppendVarint(b, 2) // entries of the header
	b = appendAvroBytes(appendAvroBytes(b, "avro.schema"), f.schema)
	b = appendAvroBytes(appendAvroBytes(b, "avro.codec"), "deflate")
	b = binary.AppendVarint(b, 0) // the end of them
	b = append(b, marker[:]...)

	var block bytes.Buffer
	w, err := flate.NewWriter(&block, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write(messages)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress %d messages: %w", count, err)
	}
	b = binary.AppendVarint(b, int64(count)) // a long of Avro is Go's zig-zag varint
	b = appendAvroBytes(b, block.String())
	return append(b, marker[:]...), nil
}

func (*avroFile[T]) extension() string { return ".avro" }

func appendAvroBytes(b []byte, s string) []byte {
	return append(binary.AppendVarint(b, int64(len(s))), s...)
}
