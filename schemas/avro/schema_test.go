package avro_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/schemas/avro"
)

func replace(s, old, with string) string { return strings.ReplaceAll(s, old, with) }

// The canonical forms are those of the specification's rules, and the first three
// fingerprints those that goavro and fastavro compute, too.
func TestCanonicalFormAndFingerprint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, canonical string }{
		{`"int"`, `"int"`},
		{`{"type":"record","name":"R","namespace":"a.b","doc":"text","aliases":["Old"],"fields":[{"default":null,"name":"x","type":["null","string"]}]}`, `{"name":"a.b.R","type":"record","fields":[{"name":"x","type":["null","string"]}]}`},
		{`{"type":"enum","name":"E","symbols":["A","B"],"default":"A"}`, `{"name":"E","type":"enum","symbols":["A","B"]}`},
		{`{"type":"map","values":{"type":"array","items":{"type":"string"}}}`, `{"type":"map","values":{"type":"array","items":"string"}}`},
		{`{"type":"int","logicalType":"date"}`, `"int"`},
		{`{"size":3,"name":"a.F","type":"fixed"}`, `{"name":"a.F","type":"fixed","size":3}`},
		{`{"type":"record","name":"n.R","fields":[{"name":"next","type":["null","R"]}]}`, `{"name":"n.R","type":"record","fields":[{"name":"next","type":["null","n.R"]}]}`},
	} {
		s, err := avro.Parse(c.schema)
		require.NoError(t, err)
		require.Equal(t, c.canonical, s.Canonical())
		require.Equal(t, c.schema, s.String())
		oracle, err := goavro.NewCodec(c.canonical)
		require.NoError(t, err)
		require.Equal(t, oracle.Rabin, s.Fingerprint(), c.canonical)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		``:                             "unexpected end",
		`string`:                       "invalid character",
		`"nobody"`:                     "unknown type name",
		`["int",["null"]]`:             "union",
		`["int","int"]`:                "unique",
		`{"type":"record","name":"R"}`: "fields",
		`{"type":"enum","name":"E","symbols":["A"],"default":"B"}`:                                             `default B is not one of its symbols`,
		`{"type":"enum","name":"E","symbols":["A","A"]}`:                                                       "symbol A twice",
		`{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"record","name":"R","fields":[]}}]}`: "defined twice",
		`{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}`:                      "default",
		`{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":3000000000}]}`:               "default",
		`"` + strings.Repeat("x", avro.MaxSchema) + `"`:                                                        "above the limit",
		`{"type":"record","name":"R","fields":[{"name":"r","type":"R","default":{}}]}`:                         "it is broken", // goavro panics
	} {
		_, err := avro.Parse(schema)
		require.ErrorContains(t, err, want, "%.100s", schema)
		require.ErrorContains(t, err, "parse Avro schema: ")
	}
}

type pair struct {
	A int32
	B string
}

func TestTypesThatDoNotFit(t *testing.T) {
	t.Parallel()
	record := func(fields string) string { return `{"type":"record","name":"R","fields":[` + fields + `]}` }
	a, b := `{"name":"a","type":"int"}`, `{"name":"b","type":"string"}`
	refuses := func(try func(*avro.Schema) error, schema, want string) {
		t.Helper()
		s, err := avro.Parse(schema)
		require.NoError(t, err)
		require.ErrorContains(t, try(s), want)
	}
	refuses(fits[pair], record(a), "field B of avro_test.pair is not in record R")
	refuses(fits[pair], record(a+","+b+`,{"name":"c","type":"int"}`), "field c of record R has no default")
	refuses(fits[pair], record(a+`,{"name":"b","type":["null","string"]}`), "field b: string cannot be null: use *string")
	refuses(fits[pair], record(a+`,{"name":"b","type":["int","string"]}`), "field b: string does not hold a union")
	refuses(fits[pair], record(`{"name":"a","type":"string"},`+b), "field a: int32 does not hold Avro string")
	refuses(fits[*pair], record(`{"name":"a","type":"double"},`+b), "field a: int32 does not hold Avro double")
	refuses(fits[int], `"string"`, "int does not hold Avro string")
	refuses(fits[[]int], `{"type":"array","items":"string"}`, "int does not hold")
	refuses(fits[map[int]int], `{"type":"map","values":"int"}`, "map[int]int does not hold")
	refuses(fits[float32], `"double"`, "float32 does not hold")
	refuses(fits[[3]byte], `{"type":"fixed","name":"F","size":4}`, "does not hold Avro F")
	refuses(fits[struct{ X *int }], `["null","int","string"]`, "none for int")
	refuses(fits[any], `"string"`, "interface {} does not hold")
}

func fits[T any](s *avro.Schema) error {
	_, err := avro.NewEncoder[T](s)
	if _, also := avro.NewDecoder[T](s, s); also == nil {
		return nil // both refuse, or it is wrong
	}
	return err
}

func TestValuesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	refuse(t, `"int"`, int64(1<<31), "more than 32 bits")
	refuse(t, `"int"`, uint64(1<<63), "more than 32 bits")
	refuse(t, `"long"`, uint64(1<<63), "more than 63 bits")
	refuse(t, `{"type":"enum","name":"E","symbols":["A"]}`, "B", `"B" is not a symbol of enum E`)
	refuse(t, `{"type":"fixed","name":"F","size":4}`, []byte("abc"), "3 bytes are no F")
	refuse(t, `"int"`, (*int)(nil), "it is nil")
	refuse(t, `["int","string"]`, choice2{}, "none of the union's types")
	refuse(t, `["int","string"]`, choice2{Int: new(int), String: new(string)}, "more than one")
	refuse(t, `{"type":"long","logicalType":"timestamp-nanos"}`, time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC), "too far away")
	refuse(t, `{"type":"int","logicalType":"time-millis"}`, 24*time.Hour, "no time of a day")
	loop := &node{}
	loop.Next = loop
	refuse(t, `{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]}`, loop, "deep in each other")
	refuse(t, `{"type":"record","name":"L","fields":[{"name":"list","type":{"type":"array","items":"int"}}]}`, struct{ List []int }{[]int{1, 1 << 40}}, "field list[1]: ")
}

type choice2 struct {
	Int    *int
	String *string
}

type node struct{ Next *node }

func refuse[T any](t *testing.T, schema string, v T, want string) {
	t.Helper()
	encoder, _ := newCodec[T](t, schema)
	before := []byte("before")
	b, err := encoder.Append(before, &v)
	require.ErrorContains(t, err, want)
	require.Equal(t, "before", string(b))
}

// Defaults within defaults double at each level.
func TestDefaultsThatExplodeAreRefused(t *testing.T) {
	t.Parallel()
	schema := `{"type":"record","name":"R0","fields":[{"name":"x","type":"null","default":null}]}`
	for i := 1; i <= 21; i++ {
		below := "R" + strconv.Itoa(i-1)
		schema = fmt.Sprintf(`{"type":"record","name":"R%d","fields":[{"name":"a","type":%s,"default":{}},{"name":"b","type":%q,"default":{}}]}`, i, schema, below)
	}
	_, err := avro.Parse(schema)
	require.ErrorContains(t, err, "too many values")
}
