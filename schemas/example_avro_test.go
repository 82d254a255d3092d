package schemas_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/schemas"
)

// A value that was written before a field was there gets the field's default.
// Without a registry a reader names the schemas of before.
func ExampleAvro() {
	const (
		before = `{"type":"record","name":"Line","fields":[{"name":"article","type":"string"},{"name":"count","type":"int"}]}`
		after  = `{"type":"record","name":"Line","fields":[{"name":"article","type":"string"},{"name":"count","type":"long"},{"name":"price","type":["null","double"],"default":null}]}`
	)
	type oldLine struct {
		Article string
		Count   int
	}
	type newLine struct {
		Article string
		Count   int
		Price   *float64
	}
	writer := schemas.Avro[oldLine](before)
	reader := schemas.Avro[newLine](after, schemas.Earlier(before))

	b, _ := writer.Encode(oldLine{"nails", 100})
	v, err := reader.Decode(context.Background(), b)
	fmt.Println(v.Article, v.Count, v.Price == nil, err)

	_, err = writer.Encode(oldLine{"nails", 1 << 40})
	fmt.Println(err)
	// Output:
	// nails 100 true <nil>
	// encode schemas_test.oldLine as Avro: field count: 1099511627776 is no int: it has more than 32 bits
}
