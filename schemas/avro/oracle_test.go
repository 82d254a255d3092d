package avro_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/schemas/avro"
)

const everySchema = `{"type":"record","name":"Every","namespace":"test","fields":[
	{"name":"flag","type":"boolean"},
	{"name":"small","type":"int"},
	{"name":"large","type":"long"},
	{"name":"single","type":"float"},
	{"name":"double","type":"double"},
	{"name":"bytes","type":"bytes"},
	{"name":"text","type":"string"},
	{"name":"color","type":{"type":"enum","name":"Color","symbols":["RED","GREEN"]}},
	{"name":"hash","type":{"type":"fixed","name":"Hash","size":4}},
	{"name":"list","type":{"type":"array","items":"string"}},
	{"name":"table","type":{"type":"map","values":"long"}},
	{"name":"maybe","type":["null","string"],"default":null},
	{"name":"late","type":["int","null"]},
	{"name":"maybes","type":["null",{"type":"array","items":"int"}]},
	{"name":"choice","type":["null","string","long",{"type":"record","name":"Point","fields":[{"name":"x","type":"int"},{"name":"y","type":"int"}]}]},
	{"name":"points","type":{"type":"array","items":"Point"}},
	{"name":"next","type":["null","Every"],"default":null}
]}`

type point struct{ X, Y int16 }

type color string

type choice struct {
	String *string
	Long   *int64
	Point  *point
}

type every struct {
	Flag   bool
	Small  int32
	Large  int
	Single float32
	Double float64
	Bytes  []byte
	Text   string
	Color  color
	Hash   [4]byte
	List   []string
	Table  map[string]uint32
	Maybe  *string
	Late   *int8
	Maybes []int64
	Choice *choice
	Points []point
	Next   *every
}

func maybe[T any](t *rapid.T, g *rapid.Generator[T], label string) *T {
	if !rapid.Bool().Draw(t, "has "+label) {
		return nil
	}
	v := g.Draw(t, label)
	return &v
}

func points() *rapid.Generator[point] {
	return rapid.Custom(func(t *rapid.T) point {
		return point{rapid.Int16().Draw(t, "x"), rapid.Int16().Draw(t, "y")}
	})
}

// everything draws values with at most one entry in a map, since their order is
// nobody's.
func everything(depth int) *rapid.Generator[every] {
	return rapid.Custom(func(t *rapid.T) every {
		v := every{
			Flag:   rapid.Bool().Draw(t, "flag"),
			Small:  rapid.Int32().Draw(t, "small"),
			Large:  rapid.Int().Draw(t, "large"),
			Single: rapid.Float32().Draw(t, "single"),
			Double: rapid.Float64().Draw(t, "double"),
			Bytes:  rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"),
			Text:   rapid.String().Draw(t, "text"),
			Color:  rapid.SampledFrom([]color{"RED", "GREEN"}).Draw(t, "color"),
			List:   rapid.SliceOf(rapid.String()).Draw(t, "list"),
			Table:  rapid.MapOfN(rapid.String(), rapid.Uint32(), 0, 1).Draw(t, "table"),
			Maybe:  maybe(t, rapid.String(), "maybe"),
			Late:   maybe(t, rapid.Int8(), "late"),
			Points: rapid.SliceOf(points()).Draw(t, "points"),
		}
		copy(v.Hash[:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "hash"))
		if rapid.Bool().Draw(t, "has maybes") {
			v.Maybes = rapid.SliceOf(rapid.Int64Range(math.MinInt32, math.MaxInt32)).Draw(t, "maybes")
		}
		switch rapid.IntRange(0, 3).Draw(t, "choice") {
		case 1:
			v.Choice = &choice{String: new(rapid.String().Draw(t, "string"))}
		case 2:
			v.Choice = &choice{Long: new(rapid.Int64().Draw(t, "long"))}
		case 3:
			v.Choice = &choice{Point: new(points().Draw(t, "point"))}
		}
		if depth > 0 {
			v.Next = maybe(t, everything(depth-1), "next")
		}
		return v
	})
}

func newCodec[T any](t require.TestingT, schema string) (*avro.Encoder[T], *avro.Decoder[T]) {
	s, err := avro.Parse(schema)
	require.NoError(t, err)
	encoder, err := avro.NewEncoder[T](s)
	require.NoError(t, err)
	decoder, err := avro.NewDecoder[T](s, s)
	require.NoError(t, err)
	return encoder, decoder
}

// What is written is what goavro would write, and is read again as it was.
func TestGoavroReadsAndWritesTheSame(t *testing.T) {
	t.Parallel()
	encoder, decoder := newCodec[every](t, everySchema)
	oracle, err := goavro.NewCodec(everySchema)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		want := everything(2).Draw(t, "value")
		b, err := encoder.Append([]byte("before"), &want)
		require.NoError(t, err)
		require.Equal(t, "before", string(b[:6]))
		b = b[6:]

		native, rest, err := oracle.NativeFromBinary(b)
		require.NoError(t, err)
		require.Empty(t, rest)
		again, err := oracle.BinaryFromNative(nil, native)
		require.NoError(t, err)
		require.Equal(t, again, b)

		var got every
		require.NoError(t, decoder.Decode(b, &got))
		require.Equal(t, want, got)
		for cut := range b {
			require.Error(t, decoder.Decode(b[:cut], new(every)), "without its end it is no value")
		}
		require.ErrorContains(t, decoder.Decode(append(b, 0), new(every)), "1 bytes are left")
	})
}

type logicals struct {
	Millis time.Time
	Micros time.Time
	Nanos  time.Time
	Local  time.Time
	Day    time.Time
	Clock  time.Duration
	Raw    int64
	Price  *big.Rat
	Share  *big.Rat
}

const logicalSchema = `{"type":"record","name":"Logicals","fields":[
	{"name":"millis","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"micros","type":{"type":"long","logicalType":"timestamp-micros"}},
	{"name":"nanos","type":{"type":"long","logicalType":"timestamp-nanos"}},
	{"name":"local","type":{"type":"long","logicalType":"local-timestamp-millis"}},
	{"name":"day","type":{"type":"int","logicalType":"date"}},
	{"name":"clock","type":{"type":"int","logicalType":"time-millis"}},
	{"name":"raw","type":{"type":"long","logicalType":"timestamp-micros"}},
	{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
	{"name":"share","type":{"type":{"type":"fixed","name":"Share","size":2},"logicalType":"decimal","precision":4,"scale":4}}
]}`

func TestLogicalTypesComeBack(t *testing.T) {
	t.Parallel()
	schema := `{"type":"fixed","name":"Share","size":2,"logicalType":"decimal","precision":4,"scale":4}`
	encoder, decoder := newCodec[logicals](t, replace(logicalSchema, `{"type":{"type":"fixed","name":"Share","size":2},"logicalType":"decimal","precision":4,"scale":4}`, schema))
	second := rapid.Int64Range(-62_000_000_000, 253_000_000_000)
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", rapid.IntRange(-12*3600, 12*3600).Draw(t, "zone"))
		at := func(unit time.Duration, label string) time.Time {
			ns := rapid.Int64Range(0, 999_999_999).Draw(t, label+" ns") / int64(unit) * int64(unit)
			return time.Unix(second.Draw(t, label), ns).UTC()
		}
		want := logicals{
			Millis: at(time.Millisecond, "millis"),
			Micros: at(time.Microsecond, "micros"),
			Nanos:  time.Unix(0, rapid.Int64Range(-9e18, 9e18).Draw(t, "nanos")).UTC(),
			Local:  at(time.Millisecond, "local").In(zone),
			Day:    at(time.Second, "day").In(zone),
			Clock:  time.Duration(rapid.Int64Range(0, 86_399_999).Draw(t, "clock")) * time.Millisecond,
			Raw:    rapid.Int64().Draw(t, "raw"),
			Price:  big.NewRat(rapid.Int64Range(-999_999_999, 999_999_999).Draw(t, "price"), 100),
			Share:  big.NewRat(rapid.Int64Range(-9999, 9999).Draw(t, "share"), 10_000),
		}
		b, err := encoder.Append(nil, &want)
		require.NoError(t, err)
		var got logicals
		require.NoError(t, decoder.Decode(b, &got))
		require.Equal(t, want.Local.Format(wall), got.Local.Format(wall))
		require.Equal(t, want.Day.Format(time.DateOnly), got.Day.Format(time.DateOnly))
		require.Zero(t, want.Price.Cmp(got.Price))
		require.Zero(t, want.Share.Cmp(got.Share))
		want.Local, want.Day, want.Price, want.Share = got.Local, got.Day, got.Price, got.Share
		require.Equal(t, want, got)
	})
}

// wall is what a clock on a wall shows.
const wall = "2006-01-02T15:04:05.000"
