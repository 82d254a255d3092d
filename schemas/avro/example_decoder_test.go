package avro_test

import (
	"fmt"

	"github.com/penstock/penstock/schemas/avro"
)

// Bytes that were written with one schema are read with another one.
func ExampleDecoder() {
	writer, _ := avro.Parse(`{"type":"record","name":"Point","fields":[{"name":"x","type":"int"},{"name":"y","type":"int"}]}`)
	reader, _ := avro.Parse(`{"type":"record","name":"Point","fields":[{"name":"y","type":"double"},{"name":"label","type":"string","default":"none"}]}`)

	encoder, _ := avro.NewEncoder[struct{ X, Y int }](writer)
	b, _ := encoder.Append(nil, &struct{ X, Y int }{3, 4})

	decoder, _ := avro.NewDecoder[struct {
		Y     float64
		Label string
	}](writer, reader)
	var point struct {
		Y     float64
		Label string
	}
	err := decoder.Decode(b, &point)
	fmt.Println(point.Y, point.Label, err)
	// Output: 4 none <nil>
}
