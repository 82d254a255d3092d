package router_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/schemas"
)

// registered is a codec whose schema registry is down for the first so many values that
// it is to read.
type registered struct {
	down  int32
	asked atomic.Int32
}

func (*registered) Encode(n int) ([]byte, error) { return strconv.AppendInt(nil, int64(n), 10), nil }

func (c *registered) Decode(_ context.Context, b []byte) (int, error) {
	if c.asked.Add(1) <= c.down {
		return 0, fmt.Errorf("ask for the schema: %w", schemas.ErrUnavailable)
	}
	return strconv.Atoi(string(b))
}

func (*registered) ContentType() string { return "text/plain" }

// twice is a filter, of batches too, that does each message at the second attempt.
type twice struct{}

func (twice) Filter(_ context.Context, m *pipeline.Message[int], out *pipeline.Emitter[int]) error {
	if m.Attempt == 1 {
		return errBoom
	}
	out.Emit(m.Body)
	return nil
}

// twiceInBatches is twice for batches. A batch fails only those that are at their first
// attempt.
type twiceInBatches struct{ twice }

func (twiceInBatches) Batch() (int, time.Duration) { return 10, time.Millisecond }

func (f twiceInBatches) FilterBatch(ctx context.Context, items []pipeline.Item[int, int]) error {
	for _, item := range items {
		if err := f.Filter(ctx, item.Message, item.Out); err != nil {
			item.Fail(err)
		}
	}
	return nil
}

// Nothing is known of a message while the registry is down: it has no attempt less when
// that is back, and is neither parked nor poisoned, however long it takes.
func TestWhatCannotBeReadWhileTheRegistryIsDownIsNotPoison(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]struct {
		filter pipeline.Filter[int, int]
		option pipeline.Option[int]
	}{
		"a stage":                      {twice{}, pipeline.Lanes(4)},
		"a stage that is exactly once": {twice{}, pipeline.ExactlyOnce()},
		"a stage of batches":           {twiceInBatches{}, pipeline.Timeout(time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addrs := brokertest.New(t).Addrs()
			codec := &registered{down: 40}
			p := pipeline.New("away")
			in := pipeline.NewPipe(p, "in", pipeline.Codec[int](codec), pipeline.Partitions(1))
			pipeline.Stage(in, "work", stage.filter, pipeline.Retry(2, pipeline.Constant(time.Millisecond)), stage.option, pipeline.Open())
			r := start(t, addrs, p, router.Config{})
			brokertest.Produce(t, addrs, "away.in", numbered(3, 5)...)
			r.drained()
			require.Greater(t, codec.asked.Load(), codec.down)
			requireSequences(t, brokertest.ReadCommitted(t, addrs, "away.work"), 3, 5)
			require.Empty(t, poisoned(t, addrs, "away.work.poison"))
			require.Zero(t, r.Stats()[0].Parked)
		})
	}
}
