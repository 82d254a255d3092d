package schemas_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/schemas"
)

type order struct {
	ID     string `json:"id"`
	Amount int    `json:"amount"`
}

func TestJSONDecodesWhatItEncoded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := schemas.JSON[order]()
		want := order{ID: rapid.String().Draw(t, "id"), Amount: rapid.Int().Draw(t, "amount")}
		b, err := c.Encode(want)
		require.NoError(t, err)
		got, err := c.Decode(t.Context(), b)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestJSONRefusesBrokenValues(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ value, want string }{
		"empty":               {"", "the value is empty"},
		"cut off":             {`{"id":"a"`, "unexpected end of JSON input (at byte 9)"},
		"garbage":             {"\x00\xff", `invalid character '\x00'`},
		"garbage behind it":   {`{"id":"a"} x`, "invalid character 'x' after top-level value"},
		"a second value":      {`{"id":"a"}{"id":"b"}`, "invalid character '{' after top-level value"},
		"wrong type":          {`{"amount":"many"}`, "amount of type int"},
		"another kind at all": {`[1]`, "cannot unmarshal array"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := schemas.JSON[order]().Decode(t.Context(), []byte(test.value))
			require.ErrorContains(t, err, "decode JSON as schemas_test.order: ")
			require.ErrorContains(t, err, test.want)
			require.Zero(t, got, "half a value must not get out")
		})
	}
}

func TestAnErrorDoesNotRepeatAWholeNumber(t *testing.T) {
	t.Parallel()
	_, err := schemas.JSON[order]().Decode(t.Context(), []byte(`{"amount":`+strings.Repeat("4", 10_000)+`}`))
	require.Less(t, len(err.Error()), 300)
	var cause *json.UnmarshalTypeError
	require.ErrorAs(t, err, &cause)
	require.Equal(t, "amount", cause.Field)
}

func TestJSONErrorKeepsItsCause(t *testing.T) {
	t.Parallel()
	_, err := schemas.JSON[order]().Decode(t.Context(), []byte(`{"id":"a","amount":"many"}`))
	var cause *json.UnmarshalTypeError
	require.ErrorAs(t, err, &cause)
	require.Equal(t, "amount", cause.Field)

	_, err = schemas.JSON[chan int]().Encode(nil)
	require.ErrorContains(t, err, "encode chan int as JSON")
}

func TestCodecsCanBeCompared(t *testing.T) {
	t.Parallel()
	equal := func(a, b any) bool { return a == b }
	require.True(t, equal(schemas.JSON[order](), schemas.JSON[order]()))
	require.True(t, equal(schemas.Raw(), schemas.Raw()))
	require.False(t, equal(schemas.JSON[[]byte](), schemas.Raw()))
}

func TestRawLeavesBytesAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, value := range [][]byte{nil, {}, []byte("\x00\xff"), []byte("text")} {
		decoded, err := schemas.Raw().Decode(t.Context(), value)
		require.NoError(t, err)
		encoded, err := schemas.Raw().Encode(decoded)
		require.NoError(t, err)
		require.Equal(t, value, encoded, "a null value stays null, an empty one empty")
	}
	require.Equal(t, "application/octet-stream", schemas.Raw().ContentType())
}
