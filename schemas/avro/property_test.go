package avro

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// evolved is a field of a writer's record and what became of it.
type evolved struct {
	name, reads  string // the field's name with the writer, and with the reader
	wrote, wants string // its types
	native       any    // what was written
	expect       any    // what is read
	dropped      bool   // the reader does not have it
	added        bool   // the writer does not have it
}

var goTypes = map[string]reflect.Type{
	"int": reflect.TypeFor[int32](), "long": reflect.TypeFor[int64](), "float": reflect.TypeFor[float32](),
	"double": reflect.TypeFor[float64](), "string": reflect.TypeFor[string](), "boolean": reflect.TypeFor[bool](),
}

func drawField(t *rapid.T, i int) evolved {
	f := evolved{name: fmt.Sprintf("F%d", i)}
	f.reads = f.name
	f.wrote = rapid.SampledFrom([]string{"int", "long", "float", "double", "string", "boolean"}).Draw(t, "wrote")
	f.wants = f.wrote
	if to := map[string][]string{"int": {"long", "float", "double"}, "long": {"float", "double"}, "float": {"double"}}[f.wrote]; to != nil && rapid.Bool().Draw(t, "promoted") {
		f.wants = rapid.SampledFrom(to).Draw(t, "wants")
	}
	switch f.wrote {
	case "int":
		f.native = rapid.Int32().Draw(t, "int")
	case "long":
		f.native = rapid.Int64().Draw(t, "long")
	case "float":
		f.native = rapid.Float32().Draw(t, "float")
	case "double":
		f.native = rapid.Float64().Draw(t, "double")
	case "string":
		f.native = rapid.String().Draw(t, "string")
	case "boolean":
		f.native = rapid.Bool().Draw(t, "boolean")
	}
	f.expect = reflect.ValueOf(f.native).Convert(goTypes[f.wants]).Interface()
	switch rapid.IntRange(0, 4).Draw(t, "fate") {
	case 0:
		f.dropped = true
	case 1:
		f.reads = "Renamed" + f.name
	case 2:
		f.added = true
		f.wants = "long"
		f.expect = int64(i)
	}
	return f
}

// A record's fields are dropped, renamed, added, promoted and put in another
// order, as the specification allows: each value that is read is the one that
// goavro wrote, promoted, or the default.
func TestResolutionOfEvolvedRecords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 8).Draw(t, "fields")
		fields := make([]evolved, count)
		for i := range fields {
			fields[i] = drawField(t, i)
		}
		native := map[string]any{}
		var wrote, read []string
		var goFields []reflect.StructField
		for i, f := range fields {
			if !f.added {
				native[f.name] = f.native
				wrote = append(wrote, fmt.Sprintf(`{"name":%q,"type":%q}`, f.name, f.wrote))
			}
			if f.dropped {
				continue
			}
			field := fmt.Sprintf(`{"name":%q,"type":%q,"aliases":[%q]}`, f.reads, f.wants, f.name)
			if f.added {
				field = fmt.Sprintf(`{"name":%q,"type":%q,"default":%d}`, f.reads, f.wants, i)
			}
			read = append(read, field)
			goFields = append(goFields, reflect.StructField{Name: f.reads, Type: goTypes[f.wants]})
		}
		read = rapid.Permutation(read).Draw(t, "order")

		writer, err := Parse(`{"type":"record","name":"R","fields":[` + strings.Join(wrote, ",") + `]}`)
		require.NoError(t, err)
		reader, err := Parse(`{"type":"record","name":"R","fields":[` + strings.Join(read, ",") + `]}`)
		require.NoError(t, err)
		oracle, err := goavro.NewCodec(writer.String())
		require.NoError(t, err)
		b, err := oracle.BinaryFromNative(nil, native)
		require.NoError(t, err)

		typ := reflect.StructOf(goFields)
		c := decoderCompiler{records: map[compiled]*recordDecoder{}, skips: map[*node]*skipFunc{}}
		decode, err := c.compile(writer.root, reader.root, typ)
		require.NoError(t, err)
		got := reflect.New(typ)
		r := message(b)
		require.NoError(t, decode(&r, got.UnsafePointer()))
		require.Zero(t, r.left())
		for _, f := range fields {
			if !f.dropped {
				require.Equal(t, f.expect, got.Elem().FieldByName(f.reads).Interface(), f.name)
			}
		}
	})
}

func message(b []byte) reader { return reader{buf: b} }
