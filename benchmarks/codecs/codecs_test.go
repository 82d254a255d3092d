package codecs

import (
	"encoding/json"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"github.com/twmb/avro"

	"github.com/penstock/penstock/schemas"
)

const orderSchema = `{"type":"record","name":"Order","fields":[
	{"name":"id","type":"string"},
	{"name":"customer","type":"string"},
	{"name":"placed","type":"long"},
	{"name":"express","type":"boolean"},
	{"name":"note","type":["null","string"],"default":null},
	{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
		{"name":"article","type":"string"},
		{"name":"count","type":"int"},
		{"name":"price","type":"double"}]}}}]}`

type order struct {
	ID       string  `avro:"id" json:"id"`
	Customer string  `avro:"customer" json:"customer"`
	Placed   int64   `avro:"placed" json:"placed"`
	Express  bool    `avro:"express" json:"express"`
	Note     *string `avro:"note" json:"note"`
	Lines    []line  `avro:"lines" json:"lines"`
}

type line struct {
	Article string  `avro:"article" json:"article"`
	Count   int32   `avro:"count" json:"count"`
	Price   float64 `avro:"price" json:"price"`
}

var example = order{
	ID: "o-2026-000001", Customer: "customer-17", Placed: 1_790_000_000_000,
	Lines: []line{{"nails", 100, 0.05}, {"hammer", 1, 19.9}, {"ladder", 2, 89}},
}

// contestant encodes and decodes an order.
type contestant struct {
	name   string
	encode func(order) ([]byte, error)
	decode func([]byte) (order, error)
}

func contestants(tb testing.TB) []contestant {
	tb.Helper()
	ours := schemas.Avro[order](orderSchema)
	js := schemas.JSON[order]()
	peer, err := avro.Parse(orderSchema)
	require.NoError(tb, err)
	native, err := goavro.NewCodec(orderSchema)
	require.NoError(tb, err)
	return []contestant{
		{"avro", ours.Encode, func(b []byte) (order, error) { return ours.Decode(tb.Context(), b) }},
		{"json", js.Encode, func(b []byte) (order, error) { return js.Decode(tb.Context(), b) }},
		{
			"twmb", func(o order) ([]byte, error) { return peer.Encode(&o) },
			func(b []byte) (o order, err error) {
				_, err = peer.Decode(b, &o)
				return o, err
			},
		},
		{
			"goavro", func(o order) ([]byte, error) { return native.BinaryFromNative(nil, toNative(o)) },
			func(b []byte) (order, error) {
				v, _, err := native.NativeFromBinary(b)
				if err != nil {
					return order{}, err
				}
				return fromNative(v.(map[string]any)), nil
			},
		},
	}
}

// toNative is what a program writes by hand to use goavro.
func toNative(o order) map[string]any {
	lines := make([]any, len(o.Lines))
	for i, l := range o.Lines {
		lines[i] = map[string]any{"article": l.Article, "count": l.Count, "price": l.Price}
	}
	native := map[string]any{
		"id": o.ID, "customer": o.Customer, "placed": o.Placed, "express": o.Express, "note": nil, "lines": lines,
	}
	if o.Note != nil {
		native["note"] = goavro.Union("string", *o.Note)
	}
	return native
}

func fromNative(native map[string]any) order {
	o := order{
		ID: native["id"].(string), Customer: native["customer"].(string),
		Placed: native["placed"].(int64), Express: native["express"].(bool),
	}
	if note, ok := native["note"].(map[string]any); ok {
		o.Note = new(note["string"].(string))
	}
	for _, v := range native["lines"].([]any) {
		l := v.(map[string]any)
		o.Lines = append(o.Lines, line{l["article"].(string), l["count"].(int32), l["price"].(float64)})
	}
	return o
}

// All contestants do the same work.
func TestContestantsAgree(t *testing.T) {
	t.Parallel()
	const header = 10 // of Avro's single-object encoding, which ours has
	want, err := json.Marshal(example)
	require.NoError(t, err)
	var body []byte
	for _, c := range contestants(t) {
		b, err := c.encode(example)
		require.NoError(t, err, c.name)
		switch c.name {
		case "avro":
			body = b[header:]
		case "json":
		default:
			require.Equal(t, body, b, c.name)
		}
		got, err := c.decode(b)
		require.NoError(t, err, c.name)
		text, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(text), c.name)
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range contestants(b) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.encode(example); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range contestants(b) {
		encoded, err := c.encode(example)
		require.NoError(b, err)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.decode(encoded); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
