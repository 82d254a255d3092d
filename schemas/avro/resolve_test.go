package avro_test

import (
	"fmt"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/schemas/avro"
)

// resolves writes native with goavro by the writer's schema, and expects want
// where it is read by the reader's. The error is that of either step.
func resolves[T any](t *testing.T, writer, reader string, native any, want T) {
	t.Helper()
	got, err := resolve[T](t, writer, reader, native)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func conflicts[T any](t *testing.T, writer, reader string, native any, want string) {
	t.Helper()
	_, err := resolve[T](t, writer, reader, native)
	require.ErrorIs(t, err, avro.ErrIncompatible)
	require.ErrorContains(t, err, want)
}

func resolve[T any](t *testing.T, writer, reader string, native any) (v T, err error) {
	t.Helper()
	oracle, err := goavro.NewCodec(writer)
	require.NoError(t, err)
	b, err := oracle.BinaryFromNative(nil, native)
	require.NoError(t, err)
	w, err := avro.Parse(writer)
	require.NoError(t, err)
	r, err := avro.Parse(reader)
	require.NoError(t, err)
	decoder, err := avro.NewDecoder[T](w, r)
	if err != nil {
		return v, err
	}
	err = decoder.Decode(b, &v)
	return v, err
}

// "int is promotable to long, float, or double", and so on: all pairs of
// primitive types, and no others.
func TestResolutionOfPrimitives(t *testing.T) {
	t.Parallel()
	natives := map[string]any{
		"null": nil, "boolean": true, "int": int32(-7), "long": int64(-7), "float": float32(-7),
		"double": float64(-7), "bytes": []byte("text"), "string": "text",
	}
	promotions := map[string][]string{
		"int": {"long", "float", "double"}, "long": {"float", "double"}, "float": {"double"},
		"string": {"bytes"}, "bytes": {"string"},
	}
	for w, native := range natives {
		for r := range natives {
			allowed := w == r
			for _, p := range promotions[w] {
				allowed = allowed || p == r
			}
			check := func(err error) {
				if allowed {
					require.NoError(t, err, "%s as %s", w, r)
					return
				}
				require.ErrorIs(t, err, avro.ErrIncompatible, "%s as %s", w, r)
				require.ErrorContains(t, err, w+" was written, and cannot be read as "+r)
			}
			writer, reader := fmt.Sprintf("%q", w), fmt.Sprintf("%q", r)
			switch r {
			case "null":
				_, err := resolve[struct{}](t, writer, reader, native)
				check(err)
			case "boolean":
				v, err := resolve[bool](t, writer, reader, native)
				check(err)
				require.Equal(t, allowed, v)
			case "int":
				checkNumber[int32](t, writer, reader, native, check)
			case "long":
				checkNumber[int64](t, writer, reader, native, check)
			case "float":
				checkNumber[float32](t, writer, reader, native, check)
			case "double":
				checkNumber[float64](t, writer, reader, native, check)
			case "bytes":
				v, err := resolve[[]byte](t, writer, reader, native)
				check(err)
				require.Equal(t, allowed, string(v) == "text")
			case "string":
				v, err := resolve[string](t, writer, reader, native)
				check(err)
				require.Equal(t, allowed, v == "text")
			}
		}
	}
}

func checkNumber[N int32 | int64 | float32 | float64](t *testing.T, writer, reader string, native any, check func(error)) {
	t.Helper()
	v, err := resolve[N](t, writer, reader, native)
	check(err)
	require.Equal(t, err == nil, v == -7)
}

const recordXY = `{"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"y","type":"string"}]}`

func TestResolutionOfRecords(t *testing.T) {
	t.Parallel()
	native := map[string]any{"x": 7, "y": "text"}
	type xy struct {
		X int64
		Y string
	}
	// "the ordering of fields may be different: fields are matched by name"
	resolves(t, recordXY, `{"type":"record","name":"R","fields":[{"name":"y","type":"string"},{"name":"x","type":"long"}]}`, native, xy{7, "text"})
	// "if the writer's record contains a field with a name not present in the
	// reader's record, the writer's value for that field is ignored"
	resolves(t, recordXY, `{"type":"record","name":"R","fields":[{"name":"x","type":"int"}]}`, native, struct{ X int }{7})
	// "if the reader's record schema has a field that contains a default value, and
	// writer's schema does not have a field with the same name, then the reader
	// should use the default value from its field"
	type xz struct {
		X int
		Z []string
	}
	resolves(t, recordXY, `{"type":"record","name":"R","fields":[{"name":"z","type":{"type":"array","items":"string"},"default":["a","b"]},{"name":"x","type":"int"}]}`, native, xz{7, []string{"a", "b"}})
	// "if the reader's record schema has a field with no default value, and
	// writer's schema does not have a field with the same name, an error is
	// signalled"
	conflicts[xz](t, recordXY, `{"type":"record","name":"R","fields":[{"name":"z","type":{"type":"array","items":"string"}},{"name":"x","type":"int"}]}`, native, "field z: the writer's record R does not have it")
	// "both schemas are records with the same (unqualified) name"
	resolves(t, recordXY, `{"type":"record","name":"a.b.R","fields":[{"name":"x","type":"int"}]}`, native, struct{ X int }{7})
	conflicts[struct{ X int }](t, recordXY, `{"type":"record","name":"S","fields":[{"name":"x","type":"int"}]}`, native, "R was written, and cannot be read as S")
	conflicts[struct{ X string }](t, recordXY, `{"type":"record","name":"R","fields":[{"name":"x","type":"string"}]}`, native, "field x: int was written, and cannot be read as string")
}

// "if aliases are supported, named types and fields may declare alternate names".
func TestResolutionByAliases(t *testing.T) {
	t.Parallel()
	native := map[string]any{"x": 7, "y": "text"}
	type renamed struct{ Count int }
	resolves(t, recordXY, `{"type":"record","name":"S","aliases":["R"],"fields":[{"name":"count","type":"int","aliases":["n","x"]}]}`, native, renamed{7})
	conflicts[renamed](t, recordXY, `{"type":"record","name":"S","namespace":"a","aliases":["R"],"fields":[{"name":"count","type":"int","aliases":["x"]}]}`, native, "cannot be read as a.S")
	// The field of the name is taken before one of an alias, and none twice.
	type both struct{ X, Z int }
	resolves(t, recordXY, `{"type":"record","name":"R","fields":[{"name":"z","type":"int","aliases":["x"],"default":1},{"name":"x","type":"int"}]}`, native, both{7, 1})
	resolves(t, `{"type":"enum","name":"a.E","symbols":["A"]}`, `{"type":"enum","name":"b.F","aliases":["a.E"],"symbols":["B","A"]}`, "A", "A")
	resolves(t, `{"type":"fixed","name":"G","size":2}`, `{"type":"fixed","name":"H","aliases":["G"],"size":2}`, []byte("ab"), [2]byte{'a', 'b'})
}

func TestResolutionOfEnums(t *testing.T) {
	t.Parallel()
	writer := `{"type":"enum","name":"E","symbols":["A","B","C"]}`
	// "if the writer's symbol is not present in the reader's enum and the reader has
	// a default value, then that value is used, otherwise an error is signalled"
	resolves(t, writer, `{"type":"enum","name":"E","symbols":["C","A"]}`, "A", "A")
	resolves(t, writer, `{"type":"enum","name":"E","symbols":["C","A"]}`, "C", "C")
	resolves(t, writer, `{"type":"enum","name":"E","symbols":["C","A"],"default":"C"}`, "B", "C")
	conflicts[string](t, writer, `{"type":"enum","name":"E","symbols":["C","A"]}`, "B", `"B" is not a symbol of enum E`)
	conflicts[string](t, writer, `{"type":"enum","name":"F","symbols":["A","B","C"]}`, "B", "cannot be read as F")
}

func TestResolutionOfCollections(t *testing.T) {
	t.Parallel()
	// "this resolution algorithm is applied recursively to the … item schemas", "to
	// the … value schemas"
	resolves(t, `{"type":"array","items":"int"}`, `{"type":"array","items":"double"}`, []any{1, 2}, []float64{1, 2})
	resolves(t, `{"type":"map","values":"string"}`, `{"type":"map","values":"bytes"}`, map[string]any{"a": "b"}, map[string][]byte{"a": []byte("b")})
	conflicts[[]string](t, `{"type":"array","items":"int"}`, `{"type":"array","items":"string"}`, []any{}, "int was written")
	conflicts[[]string](t, `{"type":"map","values":"string"}`, `{"type":"array","items":"string"}`, map[string]any{}, "map was written, and cannot be read as array")
	// "both schemas are fixed whose sizes and (unqualified) names match"
	conflicts[[3]byte](t, `{"type":"fixed","name":"F","size":2}`, `{"type":"fixed","name":"F","size":3}`, []byte("ab"), "another size")
	conflicts[[2]byte](t, `{"type":"fixed","name":"F","size":2}`, `{"type":"fixed","name":"G","size":2}`, []byte("ab"), "cannot be read as G")
}

func TestResolutionOfUnions(t *testing.T) {
	t.Parallel()
	type choice struct {
		Int    *int
		Double *float64
		String *string
	}
	seven, text, float := 7, "text", 7.0
	// "if both are unions: the first schema in the reader's union that matches the
	// selected writer's union schema is recursively resolved against it"
	resolves(t, `["string","int"]`, `["null","int","double","string"]`, goavro.Union("int", 7), &choice{Int: &seven})
	resolves(t, `["string","int"]`, `["double","int","string"]`, goavro.Union("int", 7), choice{Int: &seven})
	resolves(t, `["string","float"]`, `["int","double","string"]`, goavro.Union("float", 7), choice{Double: &float})
	resolves(t, `["null","int"]`, `["null","long"]`, nil, (*int64)(nil))
	conflicts[struct {
		Int    *int
		String *string
	}](t, `["string","boolean"]`, `["int","string"]`, goavro.Union("boolean", true), "boolean was written")
	// "if reader's is a union, but writer's is not"
	resolves(t, `"string"`, `["int","double","string"]`, "text", choice{String: &text})
	resolves(t, `"int"`, `["null","long"]`, 7, new(int64(7)))
	conflicts[*int64](t, `"string"`, `["null","long"]`, "text", "string was written, and cannot be read as a union of null, long")
	// "if writer's is a union, but reader's is not"
	resolves(t, `["null","int"]`, `"long"`, goavro.Union("int", 7), int64(7))
	conflicts[int64](t, `["null","int"]`, `"long"`, nil, "null was written, and cannot be read as long")
	conflicts[int64](t, `["null","string"]`, `"long"`, nil, "cannot be read as long")
	// The same schema is no conflict with itself: an int stays one.
	resolves(t, `["double","int","string"]`, `["double","int","string"]`, goavro.Union("int", 7), choice{Int: &seven})
	// One of the same name is chosen, though another's fits without its namespace.
	union := `[{"type":"record","name":"a.P","fields":[{"name":"x","type":"int"}]},{"type":"record","name":"b.P","fields":[{"name":"x","type":"int"}]}]`
	type point struct{ X int }
	type points struct {
		A *point `avro:"a.P"`
		B *point `avro:"b.P"`
	}
	resolves(t, `{"type":"record","name":"b.P","fields":[{"name":"x","type":"int"}]}`, union, map[string]any{"x": 7}, points{B: &point{7}})
}

// What is long in both need not mean the same.
func TestResolutionOfLogicalTypes(t *testing.T) {
	t.Parallel()
	long := func(name string) string { return `{"type":"long","logicalType":"` + name + `"}` }
	resolves(t, `"long"`, long("timestamp-millis"), 7, int64(7))
	resolves(t, `"int"`, long("timestamp-millis"), 7, int64(7))
	conflicts[int64](t, `{"type":"int","logicalType":"date"}`, long("timestamp-millis"), int32(7), "cannot be read")
	decimal := `{"type":"bytes","logicalType":"decimal","precision":4,"scale":%d}`
	_, err := decoderOf[[]byte](t, fmt.Sprintf(decimal, 1), fmt.Sprintf(decimal, 2))
	require.ErrorIs(t, err, avro.ErrIncompatible)
	_, err = decoderOf[int64](t, long("timestamp-micros"), long("timestamp-millis"))
	require.ErrorIs(t, err, avro.ErrIncompatible)
	_, err = decoderOf[int64](t, long("timestamp-micros"), long("timestamp-micros"))
	require.NoError(t, err)
}

func decoderOf[T any](t *testing.T, writer, reader string) (*avro.Decoder[T], error) {
	t.Helper()
	w, err := avro.Parse(writer)
	require.NoError(t, err)
	r, err := avro.Parse(reader)
	require.NoError(t, err)
	return avro.NewDecoder[T](w, r)
}

// A record that fails to compile is met again by way of one that did.
func TestIncompatibleRecordInAUnionFailsItsValuesOnly(t *testing.T) {
	t.Parallel()
	schema := func(of string) string {
		return `["null","int",{"type":"record","name":"R","fields":[{"name":"s","type":["null",{"type":"record","name":"S","fields":[{"name":"r","type":["null","R"]}]}]},{"name":"x","type":"` + of + `"}]},"S"]`
	}
	w, rd := schema("int"), schema("string")
	decoder, err := decoderOf[*sides](t, w, rd)
	require.NoError(t, err)
	var got *sides
	require.NoError(t, decoder.Decode([]byte{2, 14}, &got)) // the int 7
	require.Equal(t, 7, *got.Int)
	require.ErrorIs(t, decoder.Decode([]byte{4, 0, 14}, new(*sides)), avro.ErrIncompatible)
	require.ErrorIs(t, decoder.Decode([]byte{6, 2, 0, 14}, new(*sides)), avro.ErrIncompatible, "an S with an R in it")
	require.NoError(t, decoder.Decode([]byte{6, 0}, new(*sides)), "an S without")
}

type sides struct {
	Int *int
	R   *recordR
	S   *recordS
}

type recordR struct {
	S *recordS
	X string
}

type recordS struct{ R *recordR }

func TestBrokenBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		schema string
		into   func(*testing.T, string) func([]byte) error
		bytes  []byte
		want   string
	}{
		{`"boolean"`, decodes[bool], []byte{2}, "a boolean is 2"},
		{`"int"`, decodes[int], []byte{0x80, 0x80, 0x80, 0x80, 0x80, 1}, "more than 32 bits"},
		{`"int"`, decodes[int8], []byte{0x80, 2}, "128 does not fit int8"},
		{`"int"`, decodes[uint], []byte{1}, "-1 does not fit uint"},
		{`"long"`, decodes[int], []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, "more than 64 bits"},
		{`"string"`, decodes[string], []byte{1}, "a length is negative"},
		{`"string"`, decodes[string], []byte{200, 1, 'a'}, "end too early"},
		{`["null","int"]`, decodes[*int], []byte{4}, "type of a union 2 of 2"},
		{`{"type":"enum","name":"E","symbols":["A"]}`, decodes[string], []byte{2}, "symbol 1 of 1"},
		{`{"type":"array","items":"int"}`, decodes[[]int], []byte{0xfe, 0xff, 0xff, 0xff, 0x0f}, "end too early"},
		{`{"type":"array","items":"null"}`, decodes[[]struct{}], []byte{0xfe, 0xff, 0xff, 0xff, 0x0f, 0}, "items without bytes"},
		{`{"type":"array","items":"int"}`, decodes[[]int], []byte{1, 100, 2, 0}, "end too early"},
		{`{"type":"map","values":"null"}`, decodes[map[string]struct{}], []byte{100, 0}, "end too early"},
		{`{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]}`, decodes[node], repeat(2, 1000), "deep in each other"},
		{`{"type":"record","name":"R","fields":[{"name":"list","type":{"type":"array","items":"int"}}]}`, decodes[struct{ List []int }], []byte{4, 2, 0x80}, "field list[1]: the bytes end too early (at byte 2)"},
	} {
		require.ErrorContains(t, c.into(t, c.schema)(c.bytes), c.want, c.schema)
	}
}

func repeat(b byte, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

func decodes[T any](t *testing.T, schema string) func([]byte) error {
	t.Helper()
	_, decoder := newCodec[T](t, schema)
	return func(b []byte) error { return decoder.Decode(b, new(T)) }
}

// Blocks with their size before them, as some writers make them, are read.
func TestBlocksWithASize(t *testing.T) {
	t.Parallel()
	_, decoder := newCodec[[]int](t, `{"type":"array","items":"int"}`)
	var got []int
	require.NoError(t, decoder.Decode([]byte{3, 4, 2, 4, 2, 6, 0}, &got))
	require.Equal(t, []int{1, 2, 3}, got)
}
