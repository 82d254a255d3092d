package schemas_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/schemas/registry"
)

const (
	lineSchema  = `{"type":"record","name":"Line","fields":[{"name":"id","type":"string"},{"name":"count","type":"int"}]}`
	priceSchema = `{"type":"record","name":"Line","fields":[{"name":"id","type":"string"},{"name":"count","type":"long"},{"name":"price","type":"double","default":1.5}]}`
)

type line struct {
	ID    string `json:"id"`
	Count int    `json:"count"`
}

type priced struct {
	ID    string  `json:"id"`
	Count int     `json:"count"`
	Price float64 `json:"price"`
}

func newRegistry(t *testing.T) (*srfake.Registry, *registry.Client) {
	t.Helper()
	fake := srfake.New()
	t.Cleanup(fake.Close)
	client, err := registry.New(registry.Config{URLs: []string{fake.URL()}})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return fake, client
}

func open[T any](t *testing.T, c schemas.Codec[T], o schemas.Opening) schemas.Codec[T] {
	t.Helper()
	require.NoError(t, c.(schemas.Opener).Open(t.Context(), o))
	return c
}

func TestAvroWithARegistry(t *testing.T) {
	t.Parallel()
	fake, client := newRegistry(t)
	fake.SeedSchema("other", 1, 41, sr.Schema{Schema: `"int"`})
	old := open(t, schemas.Avro[line](lineSchema), schemas.Opening{Registry: client, Topic: "orders.lines", Writes: true})
	require.True(t, fake.SubjectExists("orders.lines-value"))

	b, err := old.Encode(line{"a", 2})
	require.NoError(t, err)
	id, _ := client.LookUp(t.Context(), "orders.lines-value", schemas.Schema{Type: schemas.SchemaAvro, Text: lineSchema})
	require.Equal(t, []byte{0, 0, 0, 0, byte(id), 2, 'a', 4}, b)
	got, err := old.Decode(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, line{"a", 2}, got)

	// A reader with a later schema, which is not in the registry, reads it.
	later := open(t, schemas.Avro[priced](priceSchema), schemas.Opening{Registry: client, Topic: "orders.lines"})
	for range 2 {
		v, err := later.Decode(t.Context(), b)
		require.NoError(t, err)
		require.Equal(t, priced{"a", 2, 1.5}, v)
	}
	require.Equal(t, schemas.ContentTypeAvro, later.ContentType())
}

func TestAvroSubject(t *testing.T) {
	t.Parallel()
	fake, client := newRegistry(t)
	open(t, schemas.Avro[line](lineSchema, schemas.Subject("lines")), schemas.Opening{Registry: client, Topic: "t", Writes: true})
	require.True(t, fake.SubjectExists("lines"))
	require.False(t, fake.SubjectExists("t-value"))
}

// One schema has one id, whichever subjects have it, so pipes can share a codec.
func TestAvroOfTwoPipes(t *testing.T) {
	t.Parallel()
	fake, client := newRegistry(t)
	c := schemas.Avro[line](lineSchema)
	open(t, c, schemas.Opening{Registry: client, Topic: "a", Writes: true})
	open(t, c, schemas.Opening{Registry: client, Topic: "b", Writes: true})
	require.True(t, fake.SubjectExists("a-value"))
	require.True(t, fake.SubjectExists("b-value"))

	err := schemas.Avro[line](lineSchema).(schemas.Opener).Open(t.Context(), schemas.Opening{Registry: differing{}, Topic: "t", Writes: true})
	require.ErrorContains(t, err, "the id 0")
	err = c.(schemas.Opener).Open(t.Context(), schemas.Opening{Registry: differing{99}, Topic: "t", Writes: true})
	require.ErrorContains(t, err, "give each pipe a codec of its own")
}

// differing gives every subject the id.
type differing struct{ id int }

func (d differing) Register(context.Context, string, schemas.Schema) (int, error) { return d.id, nil }

func (d differing) LookUp(context.Context, string, schemas.Schema) (int, error) { return d.id, nil }

func (d differing) Schema(context.Context, int) (schemas.Schema, error) {
	return schemas.Schema{}, errors.ErrUnsupported
}

func TestAvroLooksUpOnly(t *testing.T) {
	t.Parallel()
	fake, client := newRegistry(t)
	o := schemas.Opening{Registry: client, Topic: "t", Writes: true, LookUp: true}
	err := schemas.Avro[line](lineSchema).(schemas.Opener).Open(t.Context(), o)
	require.ErrorIs(t, err, schemas.ErrUnknownSchema)
	require.ErrorContains(t, err, "subject t-value")
	require.False(t, fake.SubjectExists("t-value"))

	fake.SeedSchema("t-value", 1, 7, sr.Schema{Schema: lineSchema})
	b, err := open(t, schemas.Avro[line](lineSchema), o).Encode(line{})
	require.NoError(t, err)
	require.Equal(t, []byte{0, 0, 0, 0, 7, 0, 0}, b)
}

// Both ids are in the reason, and no error is one that is tried again.
func TestAvroRefusesForGood(t *testing.T) {
	t.Parallel()
	fake, client := newRegistry(t)
	fake.SeedSchema("t-value", 1, 7, sr.Schema{Schema: lineSchema})
	fake.SeedSchema("text", 1, 8, sr.Schema{Schema: `"string"`})
	fake.SeedSchema("json", 1, 9, sr.Schema{Schema: `{}`, Type: sr.TypeJSON})
	c := open(t, schemas.Avro[line](lineSchema), schemas.Opening{Registry: client, Topic: "t", Writes: true})
	for _, test := range []struct {
		value string
		want  []string
	}{
		{"", []string{"the value is empty"}},
		{"{}", []string{"begins neither with a schema's id nor with a fingerprint"}},
		{"\x00\x00", []string{"only 2 bytes"}},
		{"\x00\x00\x00\x00\x07\x02", []string{"written with schema 7 and read with schema 7", "field id: the bytes end too early"}},
		{"\x00\x00\x00\x00\x08\x02a", []string{"written with schema 8 and read with schema 7", "incompatible"}},
		{"\x00\x00\x00\x00\x09{}", []string{"written with schema 9 and read with schema 7", "type JSON"}},
		{"\x00\x00\x00\x01\x00", []string{"written with schema 256 and read with schema 7", "does not have the schema"}},
		{"\xc3\x0112345678", []string{"a schema of the fingerprint 3837363534333231"}},
	} {
		for range 2 { // the second answer comes from memory
			v, err := c.Decode(t.Context(), []byte(test.value))
			require.Error(t, err)
			require.NotErrorIs(t, err, schemas.ErrUnavailable)
			require.Zero(t, v)
			for _, want := range append(test.want, "decode Avro as schemas_test.line") {
				require.ErrorContains(t, err, want)
			}
		}
	}
	_, err := c.Encode(line{Count: 1 << 40})
	require.ErrorContains(t, err, "encode schemas_test.line as Avro: field count: 1099511627776 is no int")
}

// A registry that is down is asked again, and nothing of it is remembered.
func TestAvroWhileTheRegistryIsDown(t *testing.T) {
	t.Parallel()
	fake, client := newRegistry(t)
	var down atomic.Bool
	fake.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down.Load()
	})
	writer := open(t, schemas.Avro[line](lineSchema), schemas.Opening{Registry: client, Topic: "t", Writes: true})
	b, err := writer.Encode(line{"a", 1})
	require.NoError(t, err)
	reader := open(t, schemas.Avro[priced](priceSchema), schemas.Opening{Registry: client, Topic: "t"})

	down.Store(true)
	_, err = reader.Decode(t.Context(), b)
	require.ErrorIs(t, err, schemas.ErrUnavailable)
	require.ErrorContains(t, err, "status 503")
	err = schemas.Avro[line](lineSchema).(schemas.Opener).Open(t.Context(), schemas.Opening{Registry: client, Topic: "new", Writes: true})
	require.ErrorIs(t, err, schemas.ErrUnavailable)

	down.Store(false)
	_, err = reader.Decode(t.Context(), b)
	require.NoError(t, err)
	down.Store(true)
	_, err = reader.Decode(t.Context(), b)
	require.NoError(t, err, "what is known is not asked for")
}

func TestAvroWithoutARegistry(t *testing.T) {
	t.Parallel()
	old := open(t, schemas.Avro[line](lineSchema), schemas.Opening{Topic: "t", Writes: true})
	b, err := old.Encode(line{"a", 2})
	require.NoError(t, err)
	require.Equal(t, "\xc3\x01", string(b[:2]))
	got, err := old.Decode(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, line{"a", 2}, got)

	later := schemas.Avro[priced](priceSchema, schemas.Earlier(lineSchema))
	v, err := later.Decode(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, priced{"a", 2, 1.5}, v)
	_, err = schemas.Avro[priced](priceSchema).Decode(t.Context(), b)
	require.ErrorContains(t, err, "nor an earlier one")

	// What has an id may be right: this process cannot know.
	_, err = later.Decode(t.Context(), []byte{0, 0, 0, 0, 7, 0, 0})
	require.ErrorIs(t, err, schemas.ErrUnavailable)

	// When a registry comes, what was written before is read.
	_, client := newRegistry(t)
	open(t, later, schemas.Opening{Registry: client, Topic: "t", Writes: true})
	v, err = later.Decode(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, priced{"a", 2, 1.5}, v)
}

func TestAvroKeepsWhatIsWrongWithItsSchema(t *testing.T) {
	t.Parallel()
	for _, c := range []schemas.Codec[line]{
		schemas.Avro[line](`{"type":"record"}`),
		schemas.Avro[line](`"string"`),
		schemas.Avro[line](lineSchema, schemas.Earlier(`"string"`)),
		schemas.Avro[line](lineSchema, schemas.Earlier(`x`)),
		schemas.JSONSchema[line](`{"type":7}`),
		schemas.JSONSchema[line](`{`),
	} {
		opener := c.(schemas.Opener)
		_, err := opener.Schema()
		require.Error(t, err)
		require.Equal(t, err, opener.Open(t.Context(), schemas.Opening{}))
		_, encodeErr := c.Encode(line{})
		require.Equal(t, err, encodeErr)
		_, decodeErr := c.Decode(t.Context(), []byte("{}"))
		require.Equal(t, err, decodeErr)
	}
}

// Values of many goroutines do not meet in the scratch memory.
func TestAvroIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	_, client := newRegistry(t)
	writer := open(t, schemas.Avro[line](lineSchema), schemas.Opening{Registry: client, Topic: "t", Writes: true})
	reader := open(t, schemas.Avro[priced](priceSchema), schemas.Opening{Registry: client, Topic: "t"})
	done := make(chan error, 8)
	for worker := range cap(done) {
		go func() {
			for i := range 200 {
				want := line{string(rune('a' + worker)), i}
				b, err := writer.Encode(want)
				if err != nil {
					done <- err
					return
				}
				if got, err := reader.Decode(t.Context(), b); err != nil || got != (priced{want.ID, i, 1.5}) {
					done <- errors.Join(err, errors.New("another value"))
					return
				}
			}
			done <- nil
		}()
	}
	for range cap(done) {
		select {
		case err := <-done:
			require.NoError(t, err)
		case <-time.After(time.Minute):
			t.Fatal("the workers do not end")
		}
	}
}

// What one value left in the scratch memory is not in the next.
func TestAvroStartsFromAZeroValue(t *testing.T) {
	t.Parallel()
	type maybe struct {
		Text *string `json:"text"`
	}
	c := schemas.Avro[maybe](`{"type":"record","name":"M","fields":[{"name":"text","type":["null","string"]}]}`)
	full, err := c.Encode(maybe{new("x")})
	require.NoError(t, err)
	empty, err := c.Encode(maybe{})
	require.NoError(t, err)
	for range 10 {
		_, err := c.Decode(t.Context(), full)
		require.NoError(t, err)
		_, err = c.Decode(t.Context(), full[:len(full)-1])
		require.Error(t, err)
		v, err := c.Decode(t.Context(), empty)
		require.NoError(t, err)
		require.Nil(t, v.Text)
	}
}
