package attempt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/attempt"
	"github.com/penstock/penstock/pipeline"
)

func TestTheFateOfAMessage(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	parks := &pipeline.StageNode{Attempts: 3, Backoff: pipeline.Exponential(10*ms, time.Second), Parks: 2, ParkBackoff: pipeline.Exponential(100*ms, time.Second)}
	tries := &pipeline.StageNode{Attempts: 3, Backoff: pipeline.Constant(10 * ms)}
	for name, v := range map[string]struct {
		node     *pipeline.StageNode
		attempts int
		verdict  pipeline.Verdict
		said     time.Duration
		fate     attempt.Fate
		wait     time.Duration
	}{
		"done":                   {node: parks, attempts: 1, verdict: pipeline.Done, said: -1, fate: attempt.Done},
		"done with the last":     {node: parks, attempts: 5, verdict: pipeline.Done, said: -1, fate: attempt.Done},
		"skipped":                {node: parks, attempts: 1, verdict: pipeline.Skipped, said: -1, fate: attempt.Done},
		"rejected":               {node: parks, attempts: 1, verdict: pipeline.Rejected, said: -1, fate: attempt.Poison},
		"the first fails":        {node: parks, attempts: 1, verdict: pipeline.Again, said: -1, fate: attempt.Retry, wait: 20 * ms},
		"the second fails":       {node: parks, attempts: 2, verdict: pipeline.Again, said: -1, fate: attempt.Retry, wait: 40 * ms},
		"the error says when":    {node: parks, attempts: 2, verdict: pipeline.Again, said: 7 * ms, fate: attempt.Retry, wait: 7 * ms},
		"at once":                {node: parks, attempts: 2, verdict: pipeline.Again, said: 0, fate: attempt.Retry},
		"the third is parked":    {node: parks, attempts: 3, verdict: pipeline.Again, said: -1, fate: attempt.Park, wait: 200 * ms},
		"and the fourth":         {node: parks, attempts: 4, verdict: pipeline.Again, said: -1, fate: attempt.Park, wait: 400 * ms},
		"parked, it says when":   {node: parks, attempts: 3, verdict: pipeline.Again, said: time.Hour, fate: attempt.Park, wait: time.Hour},
		"the last fails":         {node: parks, attempts: 5, verdict: pipeline.Again, said: time.Hour, fate: attempt.Poison},
		"the last without parks": {node: tries, attempts: 3, verdict: pipeline.Again, said: -1, fate: attempt.Poison},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fate, wait := attempt.After(v.node, v.attempts, v.verdict, v.said, func(d time.Duration) time.Duration { return 2 * d })
			require.Equal(t, v.fate, fate)
			require.Equal(t, v.wait, wait)
		})
	}
}
