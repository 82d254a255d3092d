package schemas_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/schemas"
)

// Each field that breaks a rule is named.
func ExampleJSONSchema() {
	type Line struct {
		Count int `json:"count"`
	}
	type Order struct {
		Lines []Line `json:"lines"`
	}
	codec := schemas.JSONSchema[Order](`{
		"properties": {"lines": {"items": {"properties": {"count": {"minimum": 1}}}}}
	}`)
	_, err := codec.Decode(context.Background(), []byte(`{"lines":[{"count":2},{"count":0}]}`))
	fmt.Println(err)
	// Output: decode JSON as schemas_test.Order: field lines[1].count: minimum: got 0, want 1
}
