//go:build kafka

package registry_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/schemas/internal/prototest"
	"github.com/penstock/penstock/schemas/registry"
)

// newApicurio returns a client of the registry that `make test-kafka` starts.
func newApicurio(t *testing.T) *registry.Client {
	t.Helper()
	url := os.Getenv("PENSTOCK_TEST_REGISTRY")
	require.NotEmpty(t, url, "PENSTOCK_TEST_REGISTRY is not set: run the tests with `make test-kafka`")
	return newClient(t, registry.Config{URLs: []string{url}, Timeout: time.Minute}) // it has just been started
}

type line struct {
	ID    string `json:"id"`
	Count int    `json:"count"`
}

type priced struct {
	line

	Price float64 `json:"price"`
}

const (
	lineSchema   = `{"type":"record","name":"Line","fields":[{"name":"id","type":"string"},{"name":"count","type":"int"}]}`
	pricedSchema = `{"type":"record","name":"Line","fields":[{"name":"id","type":"string"},{"name":"count","type":"long"},{"name":"price","type":"double","default":1.5}]}`
	brokenSchema = `{"type":"record","name":"Line","fields":[{"name":"id","type":"string"},{"name":"count","type":"long"},{"name":"price","type":"double"}]}`
)

func TestRealApicurioAvro(t *testing.T) {
	t.Parallel()
	client := newApicurio(t)
	writer := schemas.Avro[line](lineSchema)
	require.NoError(t, writer.(schemas.Opener).Open(t.Context(), schemas.Opening{Registry: client, Topic: "avro", Writes: true}))
	b, err := writer.Encode(line{"a", 2})
	require.NoError(t, err)
	require.Zero(t, b[0])

	// Another process, with a later schema and nothing in memory.
	reader := schemas.Avro[priced](pricedSchema)
	require.NoError(t, reader.(schemas.Opener).Open(t.Context(), schemas.Opening{Registry: newApicurio(t), Topic: "avro"}))
	got, err := reader.Decode(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, priced{line{"a", 2}, 1.5}, got)

	// The same schema has the same id in another subject.
	require.NoError(t, writer.(schemas.Opener).Open(t.Context(), schemas.Opening{Registry: client, Topic: "avro2", Writes: true}))

	_, err = reader.Decode(t.Context(), []byte{0, 0x7f, 0, 0, 0, 0})
	require.ErrorIs(t, err, schemas.ErrUnknownSchema)
	require.NotErrorIs(t, err, schemas.ErrUnavailable)
}

func TestRealApicurioProtobufAndJSONSchema(t *testing.T) {
	t.Parallel()
	client := newApicurio(t)
	orders := schemas.Protobuf[*prototest.Order]()
	o := schemas.Opening{Registry: client, Topic: "protobuf", Writes: true}
	require.NoError(t, orders.(schemas.Opener).Open(t.Context(), o))
	b, err := orders.Encode(&prototest.Order{Id: "a", Total: &prototest.Money{Cents: 3}})
	require.NoError(t, err)
	got, err := orders.Decode(t.Context(), b)
	require.NoError(t, err)
	require.EqualValues(t, 3, got.GetTotal().GetCents())

	lines := schemas.JSONSchema[line](`{"type":"object","properties":{"count":{"type":"integer"}}}`)
	o.Topic = "json"
	require.NoError(t, lines.(schemas.Opener).Open(t.Context(), o))
	b, err = lines.Encode(line{"a", 2})
	require.NoError(t, err)
	require.Zero(t, b[0])
}

func TestRealApicurioChecks(t *testing.T) {
	t.Parallel()
	client := newApicurio(t)
	schema := func(text string) schemas.Schema { return schemas.Schema{Type: schemas.SchemaAvro, Text: text} }
	verdict, err := client.Check(t.Context(), "checked", schema(lineSchema))
	require.NoError(t, err)
	require.True(t, verdict.New)
	_, err = client.LookUp(t.Context(), "checked", schema(lineSchema))
	require.ErrorIs(t, err, schemas.ErrUnknownSchema)
	id, err := client.Register(t.Context(), "checked", schema(lineSchema))
	require.NoError(t, err)
	require.NoError(t, client.SetCompatibility(t.Context(), "checked", "BACKWARD"))

	verdict, err = client.Check(t.Context(), "checked", schema(lineSchema))
	require.NoError(t, err)
	require.Equal(t, registry.Verdict{Compatible: true, ID: id}, verdict)
	verdict, err = client.Check(t.Context(), "checked", schema(pricedSchema))
	require.NoError(t, err)
	require.True(t, verdict.Compatible)
	verdict, err = client.Check(t.Context(), "checked", schema(brokenSchema))
	require.NoError(t, err)
	require.False(t, verdict.Compatible, "%v", verdict)
	_, err = client.Register(t.Context(), "checked", schema(brokenSchema))
	require.ErrorIs(t, err, registry.ErrRefused)

	entries, err := client.List(t.Context())
	require.NoError(t, err)
	require.Contains(t, entries, registry.Entry{Subject: "checked", Version: 1, ID: id, Type: schemas.SchemaAvro})
}
