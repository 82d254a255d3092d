package sinks_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// call runs a batch sink as a stage does, on the messages 0 to n-1, and returns
// their errors.
func call(t require.TestingT, n int, f func(context.Context, []int) error) []error {
	p := pipeline.New("numbers")
	pipeline.Sink(pipeline.NewPipe[int](p, "in"), "store", sinks.Batch(10, time.Second, f))
	graph, err := p.Build()
	require.NoError(t, err)
	require.Equal(t, 10, graph.Stages[0].Batch.Max)
	require.Equal(t, time.Second, graph.Stages[0].Batch.Wait)
	deliveries, outs := make([]*pipeline.Delivery, n), make([]*pipeline.Outputs, n)
	for i := range deliveries {
		deliveries[i], outs[i] = &pipeline.Delivery{Value: []byte(strconv.Itoa(i))}, &pipeline.Outputs{}
	}
	errs := make([]error, n)
	graph.Stages[0].Batch.Calls[0](context.Background(), deliveries, outs, errs)
	return errs
}

func TestBatchFailsThoseThatFailed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 10).Draw(t, "n")
		fails := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "fails")
		errs := call(t, n, func(_ context.Context, vs []int) error {
			require.Len(t, vs, n)
			failed := sinks.BatchError{}
			for i, v := range vs {
				require.Equal(t, i, v)
				if fails[i] {
					failed[i] = fmt.Errorf("number %d", v)
				} else if i%2 == 0 {
					failed[i] = nil
				}
			}
			return failed
		})
		for i, err := range errs {
			if fails[i] {
				require.EqualError(t, err, fmt.Sprintf("number %d", i))
			} else {
				require.NoError(t, err)
			}
		}
	})
}

// What is not plainly a list of failures must never take a message as done, nor
// reject one because of another.
func TestBatchFailsAllWhereItCannotTell(t *testing.T) {
	t.Parallel()
	failed := sinks.BatchError{1: pipeline.Reject(errors.New("bad row"))}
	for name, err := range map[string]error{
		"another error":  errors.New("no database"),
		"wrapped":        fmt.Errorf("store: %w", failed),
		"joined":         errors.Join(failed, errors.New("commit failed")),
		"not in batch":   sinks.BatchError{0: nil, 3: pipeline.Reject(errors.New("bad row"))},
		"below 0":        sinks.BatchError{-1: errors.New("bad row")},
		"pointer-nested": fmt.Errorf("a: %w", fmt.Errorf("b: %w", failed)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, err := range call(t, 3, func(context.Context, []int) error { return err }) {
				require.Error(t, err, "message %d", i)
				verdict, _ := pipeline.Judge(err)
				require.Equal(t, pipeline.Again, verdict, "message %d", i)
			}
		})
	}
}

func TestBatchRejectsAllOnRequest(t *testing.T) {
	t.Parallel()
	reject := pipeline.Reject(errors.New("no such table"))
	for _, err := range call(t, 3, func(context.Context, []int) error { return reject }) {
		require.Equal(t, reject, err)
	}
}

func TestBatchOfOne(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct{ returned, want error }{
		{nil, nil},
		{broken, broken},
		{sinks.BatchError{0: broken}, broken},
		{sinks.BatchError{}, nil},
	} {
		_, err := pipeline.Apply(t.Context(), sinks.Batch(5, 0, func(_ context.Context, vs []int) error {
			require.Equal(t, []int{7}, vs)
			return c.returned
		}), 7)
		require.Equal(t, c.want, err)
	}
}

func TestBatchThatIsNoneIsReportedByBuild(t *testing.T) {
	t.Parallel()
	for _, sink := range []pipeline.Filter[int, pipeline.None]{
		sinks.Batch(0, 0, func(context.Context, []int) error { return nil }),
		sinks.Batch(1, -1, func(context.Context, []int) error { return nil }),
	} {
		p := pipeline.New("numbers")
		pipeline.Sink(pipeline.NewPipe[int](p, "in"), "store", sink)
		_, err := p.Build()
		require.ErrorContains(t, err, "it must take at least 1 and wait at least 0")
	}
}

func TestBatchErrorTellsTheFirstFew(t *testing.T) {
	t.Parallel()
	require.EqualError(t, sinks.BatchError{2: errors.New("b"), 0: errors.New("a"), 1: nil},
		"2 of the batch failed: message 0: a; message 2: b")
	many := sinks.BatchError{}
	for i := range 100 {
		many[i] = errors.New("x")
	}
	require.EqualError(t, many, "100 of the batch failed: message 0: x; message 1: x; message 2: x; and 97 more")
}

func BenchmarkBatch(b *testing.B) {
	items := make([]int, 100)
	deliveries := make([]*pipeline.Delivery, len(items))
	for i := range deliveries {
		deliveries[i] = &pipeline.Delivery{Value: []byte("1")}
	}
	p := pipeline.New("numbers")
	pipeline.Sink(pipeline.NewPipe[int](p, "in"), "store", sinks.Batch(100, 0, func(context.Context, []int) error { return nil }))
	graph, err := p.Build()
	require.NoError(b, err)
	outs, errs := make([]*pipeline.Outputs, len(items)), make([]error, len(items))
	for i := range outs {
		outs[i] = &pipeline.Outputs{}
	}
	b.ReportAllocs()
	for b.Loop() {
		graph.Stages[0].Batch.Calls[0](b.Context(), deliveries, outs, errs)
	}
}
