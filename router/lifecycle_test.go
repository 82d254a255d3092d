package router_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// opening is a filter, and a source, whose Open and Close are the test's.
type opening struct {
	open   func() error
	closed atomic.Int32
	ran    atomic.Int32
}

func (o *opening) Open(context.Context) error  { return o.open() }
func (o *opening) Close(context.Context) error { o.closed.Add(1); return nil }

func (o *opening) Filter(_ context.Context, m *pipeline.Message[[]byte], out *pipeline.Emitter[[]byte]) error {
	out.Emit(m.Body)
	return nil
}

func (o *opening) Source(ctx context.Context, _ pipeline.Emit[[]byte]) error {
	o.ran.Add(1)
	<-ctx.Done()
	return ctx.Err()
}

// opensWhen fails until ready is closed.
func opensWhen(ready <-chan struct{}) (o *opening, tries *atomic.Int32) {
	tries = new(atomic.Int32)
	return &opening{open: func() error {
		tries.Add(1)
		select {
		case <-ready:
			return nil
		default:
			return errBoom
		}
	}}, tries
}

// beside is a pipeline of a stage that reads beside.in as the one of the filter
// does, and of a source.
func beside(f pipeline.Filter[[]byte, []byte], src pipeline.Sourcer[[]byte]) *pipeline.Pipeline {
	p := pipeline.New("beside")
	in := pipeline.NewPipe[[]byte](p, "in")
	pipeline.Stage(in, "opens", f, pipeline.Open())
	pipeline.Stage(in, "other", filters.Map(same), pipeline.Open())
	pipeline.Source(p, "puts", src, pipeline.Open())
	return p
}

// launched runs a pipeline without waiting until it is ready.
func launched(t testing.TB, addrs []string, p *pipeline.Pipeline, cfg router.Config) *running {
	t.Helper()
	g, err := p.Build()
	require.NoError(t, err)
	makeTopics(t, addrs, g)
	cfg.Kafka.Brokers, cfg.Logger = addrs, logger(t)
	r, err := router.New(cfg, g)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	run := &running{Router: r, t: t, cancel: cancel, stopped: make(chan error, 1)}
	go func() { run.stopped <- r.Run(ctx) }()
	return run
}

func TestWhatCannotBeOpenedIsTriedAgainWhileOthersGoOn(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	ready := make(chan struct{})
	filter, tries := opensWhen(ready)
	src, _ := opensWhen(ready)
	r := launched(t, addrs, beside(filter, src), router.Config{})
	t.Cleanup(r.stop)
	require.Eventually(t, func() bool { return tries.Load() >= 2 }, waitFor, tick)
	brokertest.Produce(t, addrs, "beside.in", numbered(1, 10)...)
	require.Eventually(t, func() bool { return r.Stats()[1].Out == 10 }, waitFor, tick, "the other stage works")
	select {
	case <-r.Ready():
		require.Fail(t, "a stage is not open, so the router is not ready")
	default:
	}
	var stage router.StageStatus
	require.Eventually(t, func() bool {
		stage = r.Status().Stages[0]
		return stage.State == router.StateRestarting
	}, waitFor, tick)
	require.ErrorIs(t, stage.Error, errBoom)
	require.ErrorContains(t, stage.Error, "open the filter of stage beside.opens (")
	require.False(t, stage.Next.IsZero())
	require.Positive(t, stage.Restarts)
	require.Positive(t, r.Status().Sources[0].Restarts)

	close(ready)
	select {
	case <-r.Ready():
	case <-time.After(waitFor):
		require.Fail(t, "the stage was not opened")
	}
	require.Eventually(t, func() bool { return src.ran.Load() == 1 }, waitFor, tick)
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "beside.opens"), 10)
	status := r.Status()
	require.Equal(t, router.StateRunning, status.State)
	require.Equal(t, router.StateRunning, status.Stages[0].State)
	require.NoError(t, status.Stages[0].Error)
	require.Equal(t, router.StateRunning, status.Sources[0].State)

	r.stop()
	require.EqualValues(t, 1, filter.closed.Load(), "closed as often as it was opened")
	require.EqualValues(t, 1, src.closed.Load())
	require.Equal(t, router.StateStopping, r.Status().Stages[0].State)
}

func TestAStopEndsTheWaitForAnOpen(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	filter, tries := opensWhen(nil)
	src, _ := opensWhen(nil)
	r := launched(t, addrs, beside(filter, src), router.Config{})
	require.Eventually(t, func() bool { return tries.Load() > 0 }, waitFor, tick)
	r.stop()
	require.Zero(t, filter.closed.Load(), "it was never open")
	require.Zero(t, src.closed.Load())
}

func TestAPanicOfAnOpenIsAFailure(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var tries atomic.Int32
	panics := func() error {
		if tries.Add(1) < 4 {
			panic(errBoom)
		}
		return nil
	}
	filter, src := &opening{open: panics}, &opening{open: panics}
	r := launched(t, addrs, beside(filter, src), router.Config{})
	t.Cleanup(r.stop)
	<-r.Ready()
	require.Eventually(t, func() bool { return src.ran.Load() == 1 }, waitFor, tick)
}

func TestAnOpenThatIsRejectedEndsTheRun(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	fine, _ := opensWhen(nil)
	fine.open = func() error { return nil }
	rejects := &opening{open: func() error { return pipeline.Reject(errBoom) }}
	for what, p := range map[string]*pipeline.Pipeline{
		"open the filter of stage beside.opens (": beside(rejects, fine),
		"open source beside.puts (":               beside(fine, rejects),
	} {
		r := launched(t, addrs, p, router.Config{})
		err := <-r.stopped
		require.ErrorIs(t, err, errBoom)
		require.ErrorContains(t, err, what)
	}
	require.Zero(t, rejects.closed.Load())
	require.EqualValues(t, 2, fine.closed.Load(), "what was open is closed")
}

func TestTheHooksOfAProgram(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var starts, stops atomic.Int32
	open := &opening{}
	open.open = func() error {
		if starts.Load() != 2 {
			return pipeline.Reject(errors.New("the program has not started"))
		}
		return nil
	}
	cfg := router.Config{
		OnStart: func(context.Context) error {
			if starts.Add(1) == 1 {
				return errBoom // and is called again
			}
			return nil
		},
		OnStop: func(context.Context) error {
			stops.Add(1)
			if open.closed.Load() != 2 {
				return errors.New("something is still open")
			}
			return nil
		},
	}
	r := launched(t, addrs, beside(open, open), cfg)
	<-r.Ready()
	require.Eventually(t, func() bool { return open.ran.Load() == 1 }, waitFor, tick)
	r.stop()
	require.EqualValues(t, 2, starts.Load())
	require.EqualValues(t, 1, stops.Load())

	cfg.OnStart = func(context.Context) error { return pipeline.Reject(errBoom) }
	r = launched(t, addrs, beside(open, open), cfg)
	require.ErrorContains(t, <-r.stopped, "start: boom")
	require.EqualValues(t, 1, stops.Load(), "what has not started is not stopped")
	require.Eventually(t, func() bool { return r.Status().State == router.StateStopping }, waitFor, tick)
}

func TestStatusTellsOfPartitions(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	release := make(chan struct{})
	entered := make(chan struct{}, 100)
	p := oneStage(func(_ context.Context, v []byte) ([]byte, error) {
		entered <- struct{}{}
		<-release
		return v, nil
	}, pipeline.Lanes(1))
	r := start(t, addrs, p, router.Config{StuckAfter: time.Millisecond})
	stored := brokertest.Produce(t, addrs, "fail.in", numbered(1, 7)...)
	<-entered
	var s router.StageStatus
	require.Eventually(t, func() bool {
		s = r.Status().Stages[0]
		return len(s.Stuck) == 1 && s.Partitions[stored[0].Partition].End == 7
	}, waitFor, tick)
	require.Len(t, s.Partitions, 4, "those with nothing in them too")
	at := s.Partitions[stored[0].Partition]
	require.Equal(t, "fail.in", at.Topic)
	require.EqualValues(t, 7, at.Behind())
	require.Positive(t, at.InFlight)
	require.Positive(t, at.Bytes)
	require.Equal(t, "fail.in", s.Stuck[0].Topic)
	require.Equal(t, stored[0].Partition, s.Stuck[0].Partition)
	require.Zero(t, s.Stuck[0].Offset)
	require.Positive(t, s.Rebalances)

	close(release)
	r.drained()
	require.Eventually(t, func() bool { return r.Status().Stages[0].Latency.Count == 7 }, waitFor, tick)
	s = r.Status().Stages[0]
	require.Empty(t, s.Stuck)
	require.Equal(t, kafka.Progress{Done: 7, End: 7}, s.Partitions[stored[0].Partition].Progress)
	require.EqualValues(t, 7, s.Latency.Buckets[len(s.Latency.Buckets)-1].Count)
	require.Positive(t, s.Latency.Sum)
}
