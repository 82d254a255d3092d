package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

// sums emits for each order the sum so far. It fails orders of amount 13, and the
// batch with the error it holds.
type sums struct{ err error }

func (sums) Filter(context.Context, *pipeline.Message[order], *pipeline.Emitter[order]) error {
	return errors.New("not called")
}
func (sums) Batch() (int, time.Duration) { return 10, time.Second }

func (s sums) FilterBatch(_ context.Context, items []pipeline.Item[order, order]) error {
	sum := 0
	for _, item := range items {
		item.Fail(nil)
		if item.Body.Amount == 13 {
			item.Out.Emit(item.Body)
			item.Fail(errUnlucky)
			item.Fail(errors.New("later"))
			continue
		}
		sum += item.Body.Amount
		item.Out.Emit(order{ID: item.ID, Amount: sum})
	}
	return s.err
}

var errUnlucky = errors.New("unlucky")

func batch(t *testing.T, f pipeline.Filter[order, order], values ...string) ([]*pipeline.Outputs, []error) {
	t.Helper()
	s := oneStage(t, f)
	ds := make([]*pipeline.Delivery, len(values))
	outs := make([]*pipeline.Outputs, len(values))
	for i, value := range values {
		ds[i] = delivery(value)
		outs[i] = &pipeline.Outputs{List: []pipeline.Output{{ID: "before"}}}
	}
	errs := make([]error, len(values))
	errs[0] = errors.New("of the attempt before")
	s.Batch.Calls[0](t.Context(), ds, outs, errs)
	return outs, errs
}

func TestBatchGivesEachMessageItsOutputsAndError(t *testing.T) {
	t.Parallel()
	outs, errs := batch(t, sums{}, `{"Amount":1}`, `broken`, `{"Amount":13}`, `{"Amount":2}`)
	require.NoError(t, errs[0])
	require.ErrorContains(t, errs[1], "decode JSON")
	require.Equal(t, errUnlucky, errs[2])
	require.NoError(t, errs[3])

	require.JSONEq(t, `{"ID":"parent","Amount":1}`, string(outs[0].List[1].Value))
	require.Len(t, outs[1].List, 1)
	require.Len(t, outs[2].List, 1, "a failed message has no outputs")
	require.JSONEq(t, `{"ID":"parent","Amount":3}`, string(outs[3].List[1].Value))
	require.Equal(t, "k", outs[3].List[1].Key)
}

func TestBatchErrorFailsTheRest(t *testing.T) {
	t.Parallel()
	down := errors.New("database is down")
	outs, errs := batch(t, sums{down}, `{"Amount":1}`, `{"Amount":13}`)
	require.Equal(t, []error{down, errUnlucky}, errs)
	require.Len(t, outs[0].List, 1)
	require.Len(t, outs[1].List, 1)
}

func TestBatchOfBrokenMessagesDoesNotReachTheFilter(t *testing.T) {
	t.Parallel()
	_, errs := batch(t, sums{errors.New("called")}, `broken`, `too`)
	for _, err := range errs {
		require.ErrorContains(t, err, "decode JSON")
	}
}

func TestBatchNode(t *testing.T) {
	t.Parallel()
	require.Nil(t, oneStage(t, doubled()).Batch)
	b := oneStage(t, pipeline.Filter[order, order](sums{})).Batch
	require.Equal(t, 10, b.Max)
	require.Equal(t, time.Second, b.Wait)
}
