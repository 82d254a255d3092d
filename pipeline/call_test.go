package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// emitting is a filter that emits the message as it is and then does more.
func emitting(then func(ctx context.Context, m *pipeline.Message[order], out *pipeline.Emitter[order]) error) pipeline.Filter[order, order] {
	return pipeline.FilterFunc[order, order](func(ctx context.Context, m *pipeline.Message[order], out *pipeline.Emitter[order]) error {
		out.Emit(m.Body)
		return then(ctx, m, out)
	})
}

func TestCallDecodesRunsAndEncodes(t *testing.T) {
	t.Parallel()
	s := oneStage(t, doubled())
	outs, err := call(t, s, delivery(`{"ID":"a","Amount":4}`))
	require.NoError(t, err)
	require.Len(t, outs, 1)
	require.JSONEq(t, `{"ID":"a","Amount":8}`, string(outs[0].Value))
	require.Same(t, s.Outputs[0], outs[0].Pipe)
}

func TestOutputsInheritTheKeyUnlessThePipeHasOne(t *testing.T) {
	t.Parallel()
	d := delivery(`{"ID":"a"}`)
	outs, err := call(t, oneStage(t, doubled()), d)
	require.NoError(t, err)
	require.Equal(t, "k", outs[0].Key)
	require.True(t, outs[0].HasKey)

	d.Key, d.HasKey = "", false
	outs, err = call(t, oneStage(t, doubled()), d)
	require.NoError(t, err)
	require.False(t, outs[0].HasKey, "a null key stays null")

	outs, err = call(t, oneStage(t, doubled(), pipeline.Key(orderID)), d)
	require.NoError(t, err)
	require.Equal(t, "a", outs[0].Key)
	require.True(t, outs[0].HasKey)

	outs, err = call(t, oneStage(t, doubled(), pipeline.Key(func(order) string { return "" })), d)
	require.NoError(t, err)
	require.True(t, outs[0].HasKey, "an empty key is a key")
}

func TestCallRejectsWhatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	outs, err := call(t, oneStage(t, doubled()), delivery(`{"ID":`))
	require.Empty(t, outs)
	require.EqualError(t, err, "pipe in: decode JSON as pipeline_test.order: unexpected end of JSON input (at byte 6)")
	verdict, _ := pipeline.Judge(err)
	require.Equal(t, pipeline.Rejected, verdict)
}

// failing is a codec that fails with the error it holds.
type failing struct{ err error }

func (f failing) Encode(order) ([]byte, error)                  { return nil, f.err }
func (f failing) Decode(context.Context, []byte) (order, error) { return order{}, f.err }
func (failing) ContentType() string                             { return "" }

func TestCodecErrorsAreTriedAgainOnlyWhereThatCanHelp(t *testing.T) {
	t.Parallel()
	unavailable := fmt.Errorf("ask the registry: %w", schemas.ErrUnavailable)
	for _, test := range []struct {
		err  error
		want pipeline.Verdict
	}{
		{errors.New("broken"), pipeline.Rejected},
		{unavailable, pipeline.Again},
	} {
		p := pipeline.New("test")
		in := pipeline.NewPipe(p, "in", pipeline.Codec[order](failing{test.err}))
		pipeline.Sink(in, "decodes", drop())
		good := pipeline.NewPipe[order](p, "good")
		pipeline.Stage(good, "encodes", doubled(), pipeline.Codec[order](failing{test.err}), pipeline.Open())
		for _, s := range build(t, p).Stages {
			_, err := call(t, s, delivery(`{}`))
			require.ErrorIs(t, err, test.err, s.Name)
			verdict, _ := pipeline.Judge(err)
			require.Equal(t, test.want, verdict, s.Name)
		}
	}
}

// A look-up that ends with its context says nothing of the bytes.
func TestDecodeThatIsStoppedIsNoVerdictOnTheMessage(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	in := pipeline.NewPipe(p, "in", pipeline.Codec[order](failing{errors.New("stopped while looking up")}))
	pipeline.Sink(in, "sink", drop())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := build(t, p).Stages[0].Calls[0](ctx, delivery(`{}`), &pipeline.Outputs{})
	verdict, _ := pipeline.Judge(err)
	require.Equal(t, pipeline.Again, verdict)
}

func TestFailedCallTakesBackItsOutputs(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	for name, s := range map[string]*pipeline.StageNode{
		"error": oneStage(t, emitting(func(context.Context, *pipeline.Message[order], *pipeline.Emitter[order]) error { return failed })),
		"skip": oneStage(t, emitting(func(context.Context, *pipeline.Message[order], *pipeline.Emitter[order]) error {
			return pipeline.ErrSkip
		})),
		"codec": oneStage(t, emitting(func(_ context.Context, _ *pipeline.Message[order], out *pipeline.Emitter[order]) error {
			out.Emit(order{}, pipeline.WithHeader("ce_id", nil))
			return nil
		})),
	} {
		outs := pipeline.Outputs{List: []pipeline.Output{{ID: "of another call"}}}
		require.Error(t, s.Calls[0](t.Context(), delivery(`{}`), &outs), name)
		require.Equal(t, []pipeline.Output{{ID: "of another call"}}, outs.List, name)
	}
}

func TestOutputsResetKeepsNoReferences(t *testing.T) {
	t.Parallel()
	outs := pipeline.Outputs{List: []pipeline.Output{{ID: "1", Value: []byte("x")}}}
	list := outs.List
	outs.Reset()
	require.Empty(t, outs.List)
	require.Equal(t, []pipeline.Output{{}}, list, "what is kept would not be freed")
}

func TestDeliveryIsFoundInTheContext(t *testing.T) {
	t.Parallel()
	d := delivery(`{}`)
	type key struct{}
	s := oneStage(t, emitting(func(ctx context.Context, m *pipeline.Message[order], _ *pipeline.Emitter[order]) error {
		if m.Delivery != d || pipeline.FromContext(ctx) != d {
			return errors.New("another delivery")
		}
		derived, cancel := context.WithCancel(context.WithValue(ctx, key{}, "mine"))
		defer cancel()
		if pipeline.FromContext(derived) != d || derived.Value(key{}) != "mine" || ctx.Value(key{}) != "callers" {
			return errors.New("a derived context forgot something")
		}
		return nil
	}))
	ctx := context.WithValue(t.Context(), key{}, "callers")
	require.NoError(t, s.Calls[0](ctx, d, &pipeline.Outputs{}))

	require.Nil(t, pipeline.FromContext(t.Context()))
	require.Same(t, d, pipeline.FromContext(pipeline.WithDelivery(t.Context(), d)))
}

func TestRawFilterGetsAndGivesBytes(t *testing.T) {
	t.Parallel()
	s := oneStage(t, pipeline.Filter[order, order](rawFilter{}))
	outs, err := call(t, s, delivery("no JSON at all"))
	require.NoError(t, err)
	require.Equal(t, []pipeline.Output{{Pipe: s.Outputs[0], Key: "k", HasKey: true, Value: []byte("no JSON at all")}}, outs)
}

// rawMaking returns what it holds.
type rawMaking struct {
	outs []pipeline.Output
	err  error
}

func (rawMaking) Filter(context.Context, *pipeline.Message[order], *pipeline.Emitter[pipeline.None]) error {
	return nil
}

func (f rawMaking) FilterRaw(context.Context, *pipeline.Delivery) ([]pipeline.Output, error) {
	return f.outs, f.err
}

func TestRawFilterErrors(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	for want, f := range map[string]rawMaking{
		"failed": {nil, failed},
		"the filter made 1 messages, but a sink has no pipe for them": {[]pipeline.Output{{}}, nil},
	} {
		p := pipeline.New("test")
		pipeline.Sink(placed(p), "sink", f)
		_, err := call(t, build(t, p).Stages[0], delivery(""))
		require.EqualError(t, err, want)
	}
}

// long is a raw filter whose second output has an id that no reader takes.
type long struct{ rawFilter }

func (long) FilterRaw(context.Context, *pipeline.Delivery) ([]pipeline.Output, error) {
	return []pipeline.Output{{ID: "short"}, {ID: strings.Repeat("x", 1025)}}, nil
}

func TestRawFilterMustNotNameWhatReadersRefuse(t *testing.T) {
	t.Parallel()
	outs, err := call(t, oneStage(t, pipeline.Filter[order, order](long{})), delivery(""))
	require.Empty(t, outs)
	require.EqualError(t, err, "output 2 of 2: broken header ce_id: it has 1025 bytes, more than 1024")
	verdict, _ := pipeline.Judge(err)
	require.Equal(t, pipeline.Rejected, verdict)
}

// Filters keep what they get: no call may see what belongs to another.
func TestKeptMessagesStay(t *testing.T) {
	t.Parallel()
	type kept struct {
		ctx context.Context //nolint:containedctx // kept on purpose
		m   *pipeline.Message[order]
	}
	var all []kept
	s := oneStage(t, pipeline.FilterFunc[order, order](func(ctx context.Context, m *pipeline.Message[order], out *pipeline.Emitter[order]) error {
		all = append(all, kept{ctx, m})
		out.Emit(m.Body)
		return nil
	}))
	var outs pipeline.Outputs
	const calls = 100
	for i := range calls {
		d := delivery(fmt.Sprintf(`{"id":"o-%d"}`, i))
		d.Offset = int64(i)
		outs.Reset()
		require.NoError(t, s.Calls[0](t.Context(), d, &outs))
		require.Len(t, outs.List, 1)
	}
	for i, k := range all {
		require.Equal(t, fmt.Sprintf("o-%d", i), k.m.Body.ID)
		require.EqualValues(t, i, k.m.Offset)
		require.EqualValues(t, i, pipeline.FromContext(k.ctx).Offset)
	}
	require.Len(t, all, calls)
}
