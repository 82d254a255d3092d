package schemas_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/schemas/internal/prototest"
)

func protoOrders() *rapid.Generator[*prototest.Order] {
	return rapid.Custom(func(t *rapid.T) *prototest.Order {
		o := &prototest.Order{Id: rapid.String().Draw(t, "id")}
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			o.Lines = append(o.Lines, &prototest.Order_Line{Article: rapid.String().Draw(t, "article"), Count: rapid.Int32().Draw(t, "count")})
		}
		if rapid.Bool().Draw(t, "has total") {
			o.Total = &prototest.Money{Cents: rapid.Int64().Draw(t, "cents")}
			o.Placed = timestamppb.New(time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "placed"), 0))
		}
		return o
	})
}

func TestProtobufDecodesWhatItEncoded(t *testing.T) {
	t.Parallel()
	_, client := newRegistry(t)
	bare := schemas.Protobuf[*prototest.Order]()
	framed := open(t, schemas.Protobuf[*prototest.Order](), schemas.Opening{Registry: client, Topic: "t", Writes: true})
	require.Equal(t, schemas.ContentTypeProtobuf, bare.ContentType())
	rapid.Check(t, func(t *rapid.T) {
		want := protoOrders().Draw(t, "order")
		for _, from := range []schemas.Codec[*prototest.Order]{bare, framed} {
			b, err := from.Encode(want)
			require.NoError(t, err)
			require.NotNil(t, b)
			require.Equal(t, from == framed, len(b) > 0 && b[0] == 0)
			for _, to := range []schemas.Codec[*prototest.Order]{bare, framed} {
				got, err := to.Decode(t.Context(), b)
				require.NoError(t, err)
				require.True(t, proto.Equal(want, got))
			}
		}
	})
}

// The files that a file imports are registered first, but not Google's own.
func TestProtobufRegistersImports(t *testing.T) {
	t.Parallel()
	fake, client := newRegistry(t)
	open(t, schemas.Protobuf[*prototest.Order](), schemas.Opening{Registry: client, Topic: "t", Writes: true})
	got, ok := fake.GetSchema("t-value", 1)
	require.True(t, ok)
	require.Len(t, got.References, 1)
	require.Equal(t, "money.proto", got.References[0].Name)
	require.True(t, fake.SubjectExists("money.proto"))
}

// The place of a message in its file is written as others write it.
func TestProtobufWritesThePlaceOfTheMessage(t *testing.T) {
	t.Parallel()
	_, client := newRegistry(t)
	o := schemas.Opening{Registry: client, Topic: "t", Writes: true}
	placeOf := func(b []byte, err error) []byte {
		require.NoError(t, err)
		return b[5:]
	}
	order := open(t, schemas.Protobuf[*prototest.Order](), o)
	refund := open(t, schemas.Protobuf[*prototest.Refund](), o)
	line := open(t, schemas.Protobuf[*prototest.Order_Line](), o)
	require.Equal(t, []byte{0}, placeOf(order.Encode(nil)))
	require.Equal(t, []byte{2, 2}, placeOf(refund.Encode(nil)))
	require.Equal(t, []byte{4, 0, 0}, placeOf(line.Encode(nil)))

	b, err := refund.Encode(&prototest.Refund{Order: "a"})
	require.NoError(t, err)
	_, err = order.Decode(t.Context(), b)
	require.ErrorContains(t, err, "the message at [1] of its file, and penstock.prototest.Order is at [0]")
	require.NotErrorIs(t, err, schemas.ErrUnavailable)
}

func TestProtobufRefusesBrokenValues(t *testing.T) {
	t.Parallel()
	c := schemas.Protobuf[*prototest.Order]()
	for value, want := range map[string]string{
		"\xff":                         "decode Protobuf as *prototest.Order: ",
		"\x00":                         "only 1 bytes",
		"\x00\x00\x00\x00\x05":         "written with schema 5 and read with its own schema, which has no id: the message's place in its file is broken",
		"\x00\x00\x00\x00\x05\x7f":     "place in its file is broken",
		"\x00\x00\x00\x00\x05\x02":     "place in its file is broken",
		"\x00\x00\x00\x00\x05\x00\xff": "written with schema 5",
	} {
		v, err := c.Decode(t.Context(), []byte(value))
		require.ErrorContains(t, err, want, "%q", value)
		require.Nil(t, v)
	}
}

func TestProtobufWantsGeneratedMessages(t *testing.T) {
	t.Parallel()
	_, err := schemas.Protobuf[proto.Message]().Encode(nil)
	require.ErrorContains(t, err, "not a pointer to a generated message")
	_, err = schemas.Protobuf[*dynamicpb.Message]().Decode(t.Context(), nil)
	require.ErrorContains(t, err, "not a generated message")
}
