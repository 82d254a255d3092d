package registry_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/schemas/registry"
)

// A schema is registered, and a change of it is checked before anybody uses it.
func Example() {
	server := srfake.New() // stands in for a real registry
	defer server.Close()

	client, err := registry.New(registry.Config{URLs: []string{server.URL()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	ctx := context.Background()

	schema := schemas.Schema{Type: schemas.SchemaAvro, Text: `{"type":"record","name":"Line","fields":[{"name":"id","type":"string"}]}`}
	verdict, _ := client.Check(ctx, "orders.lines-value", schema)
	fmt.Println("compatible:", verdict.Compatible, "new:", verdict.New)

	id, _ := client.Register(ctx, "orders.lines-value", schema)
	verdict, _ = client.Check(ctx, "orders.lines-value", schema)
	fmt.Println("registered:", verdict.ID == id)

	entries, _ := client.List(ctx)
	for _, e := range entries {
		fmt.Println(e.Subject, e.Version, e.Type)
	}
	// Output:
	// compatible: true new: true
	// registered: true
	// orders.lines-value 1 AVRO
}
