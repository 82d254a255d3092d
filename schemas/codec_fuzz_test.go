package schemas_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/schemas/internal/prototest"
)

// holdDecode holds a codec to what it promises on any bytes: no panic, a short
// error or a value, and what it read it can write and read again.
func holdDecode[T any](t *testing.T, c schemas.Codec[T], b []byte) {
	t.Helper()
	v, err := c.Decode(t.Context(), b)
	if err != nil {
		require.Less(t, len(err.Error()), 4000)
		return
	}
	again, err := c.Encode(v)
	require.NoError(t, err)
	_, err = c.Decode(t.Context(), again)
	require.NoError(t, err)
}

// known is a registry that has one schema for every id.
type known string

func (known) Register(context.Context, string, schemas.Schema) (int, error) { return 7, nil }
func (known) LookUp(context.Context, string, schemas.Schema) (int, error)   { return 7, nil }
func (k known) Schema(context.Context, int) (schemas.Schema, error) {
	return schemas.Schema{Type: schemas.SchemaAvro, Text: string(k)}, nil
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"id":"a","amount":3}`))
	f.Fuzz(func(t *testing.T, b []byte) { holdDecode(t, schemas.JSON[order](), b) })
}

func FuzzJSONSchema(f *testing.F) {
	f.Add([]byte(`{"customer":"a","lines":[{"count":1}]}`))
	f.Add([]byte("\x00\x00\x00\x00\x07{\"customer\":\"a\",\"lines\":[]}"))
	c := schemas.JSONSchema[ruled](orderRules)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := c.Decode(t.Context(), b)
		if err != nil {
			require.Less(t, len(err.Error()), 8000)
			return
		}
		if v.Lines == nil { // null passes where no rule says what it may be
			v.Lines = []ruledLine{}
		}
		_, _ = c.Encode(v) // a count that was absent is 0 now, and that breaks a rule
	})
}

func FuzzProtobuf(f *testing.F) {
	b, err := proto.Marshal(&prototest.Order{Id: "a", Lines: []*prototest.Order_Line{{Count: 1}}, Total: &prototest.Money{Cents: 3}})
	require.NoError(f, err)
	f.Add(b)
	f.Add(append([]byte("\x00\x00\x00\x00\x07\x00"), b...))
	c := schemas.Protobuf[*prototest.Order]()
	require.NoError(f, c.(schemas.Opener).Open(f.Context(), schemas.Opening{Registry: known(""), Topic: "t", Writes: true}))
	f.Fuzz(func(t *testing.T, b []byte) { holdDecode(t, c, b) })
}

func FuzzAvro(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x07\x02a\x04\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x00\x08\x02a\x04"))
	c := schemas.Avro[priced](priceSchema)
	single, err := c.Encode(priced{"a", 1, 2})
	require.NoError(f, err)
	f.Add(single)
	require.NoError(f, c.(schemas.Opener).Open(f.Context(), schemas.Opening{Registry: known(lineSchema), Topic: "t", Writes: true}))
	f.Fuzz(func(t *testing.T, b []byte) { holdDecode(t, c, b) })
}
