package schemas_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/schemas"
)

const orderRules = `{
	"type": "object",
	"required": ["customer", "lines"],
	"properties": {
		"customer": {"type": "string", "minLength": 1},
		"lines": {"type": "array", "items": {"$ref": "#/$defs/line"}}
	},
	"$defs": {"line": {"type": "object", "properties": {"count": {"type": "integer", "minimum": 1}}}}
}`

type ruled struct {
	Customer string      `json:"customer"`
	Lines    []ruledLine `json:"lines"`
}

type ruledLine struct {
	Count int `json:"count"`
}

func TestJSONSchemaChecksBothWays(t *testing.T) {
	t.Parallel()
	c := schemas.JSONSchema[ruled](orderRules)
	require.Equal(t, schemas.ContentTypeJSON, c.ContentType())
	want := ruled{"a", []ruledLine{{1}}}
	b, err := c.Encode(want)
	require.NoError(t, err)
	require.JSONEq(t, `{"customer":"a","lines":[{"count":1}]}`, string(b))
	got, err := c.Decode(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, want, got)

	_, err = c.Encode(ruled{"", []ruledLine{{1}, {0}}})
	var broken *schemas.SchemaError
	require.ErrorAs(t, err, &broken)
	require.ElementsMatch(t, []string{"customer", "lines[1].count"}, []string{broken.Findings[0].Field, broken.Findings[1].Field})
	require.ErrorContains(t, err, "encode schemas_test.ruled by JSON Schema: ")
	require.ErrorContains(t, err, "field lines[1].count: minimum: got 0, want 1")

	for value, want := range map[string]string{
		"":                                       "the value is empty",
		"{":                                      "unexpected EOF",
		`{} x`:                                   "invalid character",
		`{"customer":"a"}`:                       "missing property 'lines'",
		`{"customer":1,"lines":[]}`:              "field customer: got number, want string",
		`{"customer":"a","lines":[{"count":0}]}`: "field lines[0].count: minimum",
		"\x00\x00\x00\x00\x05{}":                 "written with schema 5 and read with its own schema, which has no id: missing properties",
		`{"customer":"a","lines":[{"count":1e30}]}`: "cannot unmarshal number",
	} {
		v, err := c.Decode(t.Context(), []byte(value))
		require.ErrorContains(t, err, want, value)
		require.NotErrorIs(t, err, schemas.ErrUnavailable)
		require.Zero(t, v)
	}
}

func TestJSONSchemaWithARegistry(t *testing.T) {
	t.Parallel()
	_, client := newRegistry(t)
	bare := schemas.JSONSchema[ruled](orderRules)
	framed := open(t, schemas.JSONSchema[ruled](orderRules), schemas.Opening{Registry: client, Topic: "t", Writes: true})
	id, err := client.LookUp(t.Context(), "t-value", schemas.Schema{Type: schemas.SchemaJSON, Text: orderRules})
	require.NoError(t, err)
	want := ruled{"a", []ruledLine{}}
	b, err := framed.Encode(want)
	require.NoError(t, err)
	require.Equal(t, []byte{0, 0, 0, 0, byte(id), '{'}, b[:6])
	for _, c := range []schemas.Codec[ruled]{bare, framed} {
		got, err := c.Decode(t.Context(), b)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestJSONSchemaLoadsNothing(t *testing.T) {
	t.Parallel()
	for _, ref := range []string{"file:///etc/hostname", "http://127.0.0.1:1/x"} {
		_, err := schemas.JSONSchema[ruled](`{"$ref":"` + ref + `"}`).(schemas.Opener).Schema()
		require.ErrorContains(t, err, "is another document")
	}
}

func TestJSONSchemaBoundsItsReasons(t *testing.T) {
	t.Parallel()
	c := schemas.JSONSchema[[]int](`{"items":{"minimum":1}}`)
	_, err := c.Encode(make([]int, 100_000))
	broken, ok := errors.AsType[*schemas.SchemaError](err)
	require.True(t, ok)
	require.Len(t, broken.Findings, 10)
}

// A short text can be a number of a million digits: it is refused before anybody
// compares it.
func TestJSONSchemaBoundsExponents(t *testing.T) {
	t.Parallel()
	c := schemas.JSONSchema[map[string]any](`{"type": "object", "additionalProperties": {"not": {"const": 7}}}`)
	for _, value := range []string{`1e1000001`, `1E+99999999999999999999`, `-1.5e-1001`, `{"b": [0, 1e1001]}`, `[[1e5000]]`} {
		_, err := c.Decode(t.Context(), []byte(`{"a": `+value+`}`))
		require.ErrorContains(t, err, "has an exponent beyond 1000", value)
		require.NotErrorIs(t, err, schemas.ErrUnavailable, value)
	}
	for _, value := range []string{`1e300`, `1e-300`, `"1e1000001"`, `{"1e5000": 2}`, `12345678901234567890`} {
		_, err := c.Decode(t.Context(), []byte(`{"a": `+value+`}`))
		require.NoError(t, err, value)
	}
}
