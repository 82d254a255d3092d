package kafka

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTransactionsRestAsLongAsTheyTakeToEnd(t *testing.T) {
	t.Parallel()
	const interval = 100 * time.Millisecond
	for name, v := range map[string]struct {
		took, idle time.Duration // the last end, and from then until the next one was opened
		hurry      bool
		want       time.Duration // from its opening on
	}{
		"quick":            {took: 20 * time.Millisecond, want: interval},
		"as quick as wait": {took: interval, want: interval},
		"slow":             {took: 300 * time.Millisecond, want: 300 * time.Millisecond},
		"very slow":        {took: time.Minute, want: time.Second},
		"slow, then idle":  {took: 300 * time.Millisecond, idle: 250 * time.Millisecond, want: interval},
		"hurry":            {took: 20 * time.Millisecond, hurry: true, want: 20 * time.Millisecond},
		"hurry after rest": {took: 20 * time.Millisecond, idle: time.Second, hurry: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var p pace
				begun := time.Now()
				time.Sleep(v.took) //nolint:forbidigo // the bubble's clock
				p.ending(begun)
				time.Sleep(v.idle) //nolint:forbidigo // the bubble's clock
				require.Equal(t, v.want, time.Until(p.due(time.Now(), interval, v.hurry)))
			})
		})
	}
}

func TestTheFirstTransactionRestsFromNothing(t *testing.T) {
	t.Parallel()
	var p pace
	now := time.Now()
	require.Equal(t, now, p.due(now, time.Second, true))
}
