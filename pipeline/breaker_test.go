package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

// guarded is a filter with a breaker of its own.
type guarded struct{}

var ofItsOwn = pipeline.BreakerNode{Failures: 3, Probe: pipeline.Constant(time.Second)}

func (guarded) Breaker() pipeline.BreakerNode { return ofItsOwn }

func (guarded) Filter(context.Context, *pipeline.Message[order], *pipeline.Emitter[order]) error {
	return nil
}

func TestAFilterBringsItsBreaker(t *testing.T) {
	t.Parallel()
	require.Equal(t, &ofItsOwn, oneStage[order, order](t, guarded{}).Breaker)
	given := pipeline.Constant(time.Minute)
	require.Equal(t, &pipeline.BreakerNode{Failures: 1, Probe: given}, oneStage[order, order](t, guarded{}, pipeline.Breaker(1, given)).Breaker)
	require.Equal(t, 2, oneStage[order, order](t, guarded{}, pipeline.Retry(2, pipeline.Backoff{})).Breaker.Failures)
	require.Nil(t, oneStage(t, doubled()).Breaker)
}
