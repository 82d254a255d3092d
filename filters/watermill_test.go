package filters_test

import (
	"context"
	"testing"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

func TestWatermillHandlerSeesTheWholeMessage(t *testing.T) {
	t.Parallel()
	type mine struct{}
	d := delivery("bytes")
	d.Headers = []schemas.Header{{Name: "tenant", Value: []byte("7")}}
	called := false
	s := stage(t, filters.Watermill[int, int](func(m *message.Message) ([]*message.Message, error) {
		called = true
		require.Equal(t, "parent", m.UUID)
		require.Equal(t, "bytes", string(m.Payload))
		require.Equal(t, message.Metadata{"tenant": "7"}, m.Metadata)
		require.Same(t, d, pipeline.FromContext(m.Context()))
		require.Equal(t, "value", m.Context().Value(mine{}))
		return nil, nil
	}))
	err := s.Calls[0](context.WithValue(t.Context(), mine{}, "value"), d, &pipeline.Outputs{})
	require.NoError(t, err)
	require.True(t, called)
}

func TestWatermillOutputsKeepKeyAndDeriveIDs(t *testing.T) {
	t.Parallel()
	s := stage(t, filters.Watermill[int, int](func(*message.Message) ([]*message.Message, error) {
		first := message.NewMessage(watermill.NewUUID(), []byte("1"))
		first.Metadata = message.Metadata{"b": "2", "a": "1", "ce_id": "stolen", "content-type": "text/plain"}
		return message.Messages{first, message.NewMessage(watermill.NewUUID(), nil)}, nil
	}))
	d := delivery("0")
	outs, err := run(t, s, d)
	require.NoError(t, err)
	require.Equal(t, []pipeline.Output{
		{Pipe: s.Outputs[0], Key: "k", HasKey: true, Value: []byte("1"), Headers: []schemas.Header{{Name: "a", Value: []byte("1")}, {Name: "b", Value: []byte("2")}}},
		{Pipe: s.Outputs[0], Key: "k", HasKey: true},
	}, outs)
	again, err := run(t, s, d)
	require.NoError(t, err)
	require.Equal(t, s.Envelope(d, 0, &outs[0]), s.Envelope(d, 0, &again[0]), "every attempt writes the same")
}

func TestWatermillFailures(t *testing.T) {
	t.Parallel()
	for want, h := range map[string]message.HandlerFunc{
		"failed":                  func(*message.Message) ([]*message.Message, error) { return nil, failed{} },
		"the handler called Nack": func(m *message.Message) ([]*message.Message, error) { m.Nack(); return nil, nil },
		"the handler returned a nil message": func(m *message.Message) ([]*message.Message, error) {
			return message.Messages{m, nil}, nil
		},
	} {
		outs, err := run(t, stage(t, filters.Watermill[int, int](h)), delivery("0"))
		require.EqualError(t, err, want)
		require.Empty(t, outs)
	}
}

func TestWatermillHandlerMayAck(t *testing.T) {
	t.Parallel()
	outs, err := run(t, stage(t, filters.Watermill[int, int](func(m *message.Message) ([]*message.Message, error) {
		m.Ack()
		return message.Messages{m}, nil
	})), delivery("0"))
	require.NoError(t, err)
	require.Equal(t, "0", string(outs[0].Value))
}

// A filter that is decorated calls Filter, which a handler of bytes cannot serve.
func TestWatermillFilterIsNotCalledWithValues(t *testing.T) {
	t.Parallel()
	handler := filters.Watermill[int, int](message.PassthroughHandler)
	decorated := pipeline.FilterFunc[int, int](handler.Filter)
	_, err := run(t, stage(t, decorated), delivery("0"))
	require.EqualError(t, err, "a Watermill handler takes bytes: call FilterRaw")
}
