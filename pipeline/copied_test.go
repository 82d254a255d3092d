package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// copied is a source that copies the topic.
type copied string

func (c copied) CopyOf() string                                   { return string(c) }
func (copied) Source(context.Context, pipeline.Emit[order]) error { return nil }

func TestACopyKeepsWhatTheRecordHas(t *testing.T) {
	t.Parallel()
	n := source(t, copied("legacy.orders"))
	require.Equal(t, "legacy.orders", n.CopyOf)
	require.Equal(t, "test.placed.source", n.Group)
	d := delivery(`no JSON`)
	d.ID, d.Key, d.HasKey, d.ReplyTo, d.Sequence = "1", "k", true, "answers", 4
	d.Time, d.Headers = time.Unix(1, 0).UTC(), []schemas.Header{{Name: "x", Value: []byte("y")}}
	got, err := n.Copy(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, pipeline.RawTrigger{
		Output: pipeline.Output{
			Pipe: n.Pipe, ID: "1", Key: "k", HasKey: true, Value: []byte("no JSON"), Headers: d.Headers, Sequence: 4,
		},
		ReplyTo: "answers", Time: d.Time,
	}, got)
}

func TestACopyHasThePipesKey(t *testing.T) {
	t.Parallel()
	n := source(t, copied("legacy.orders"), pipeline.Key(orderID))
	for value, want := range map[string]string{`{"ID":"a"}`: "a", `no JSON`: "as it came"} {
		d := delivery(value)
		d.Key, d.HasKey = "as it came", true
		got, err := n.Copy(t.Context(), d)
		require.NoError(t, err)
		require.Equal(t, want, got.Key)
	}
}

// away is a codec whose registry is down.
type away struct{}

func (away) Encode(order) ([]byte, error) { return nil, nil }
func (away) Decode(context.Context, []byte) (order, error) {
	return order{}, fmt.Errorf("no registry: %w", schemas.ErrUnavailable)
}
func (away) ContentType() string { return "x/y" }

func TestACopyWaitsForTheRegistry(t *testing.T) {
	t.Parallel()
	n := source(t, copied("legacy.orders"), pipeline.Key(orderID), pipeline.Codec[order](away{}))
	_, err := n.Copy(t.Context(), delivery("x"))
	require.ErrorIs(t, err, schemas.ErrUnavailable)
}

func TestBuildReportsWhatCannotBeCopied(t *testing.T) {
	t.Parallel()
	for topic, want := range map[string]string{
		"":            "whose name is empty",
		"a/b":         "has a character in it",
		"test.placed": `is pipe "placed" of this pipeline`,
	} {
		p := pipeline.New("test")
		pipeline.Source(p, "placed", copied(topic), pipeline.Open())
		_, err := p.Build()
		require.ErrorContains(t, err, want)
	}
}
