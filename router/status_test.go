package router

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

func TestWhatIsParkedIsAddedUpOverClaims(t *testing.T) {
	t.Parallel()
	var p parkingStats
	require.Equal(t, Parked{}, p.read())
	now := time.Now()
	forget := p.watch(&kafka.Claim{}, func() Parked { return Parked{Messages: 2, Oldest: now} })
	p.watch(&kafka.Claim{}, func() Parked { return Parked{Messages: 3, Oldest: now.Add(-time.Hour)} })
	p.watch(&kafka.Claim{}, func() Parked { return Parked{} })
	require.Equal(t, Parked{Messages: 5, Oldest: now.Add(-time.Hour)}, p.read())
	forget()
	require.Equal(t, Parked{Messages: 3, Oldest: now.Add(-time.Hour)}, p.read())
}

func TestTakeoversAreListedWhileTheyLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ts takeovers
		begun := time.Now()
		second, first := ts.begin("in", 2), ts.begin("in", 1)
		first.of.Store(100)
		first.read.Add(20)
		require.Equal(t, []Takeover{
			{Topic: "in", Partition: 1, Since: begun, Read: 20, Of: 100}, {Topic: "in", Partition: 2, Since: begun},
		}, ts.underWay())
		time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock
		first.end(nil)
		second.end(errDown) // counts as none
		require.Empty(t, ts.underWay())
		done, took := ts.sum()
		require.EqualValues(t, 1, done)
		require.Equal(t, time.Second, took)
	})
}

func TestDurationsAreCountedInBuckets(t *testing.T) {
	t.Parallel()
	var l latency
	var mine tally
	mine.add(time.Microsecond)
	mine.add(10 * time.Microsecond) // a bound belongs to its bucket
	mine.add(11 * time.Microsecond)
	mine.add(time.Hour)
	require.Zero(t, l.read().Count)
	l.take(&mine)
	l.take(&mine) // it was emptied
	read := l.read()
	require.EqualValues(t, 4, read.Count)
	require.Equal(t, time.Hour+22*time.Microsecond, read.Sum)
	require.Equal(t, Bucket{Bound: 10 * time.Microsecond, Count: 2}, read.Buckets[0])
	require.EqualValues(t, 3, read.Buckets[1].Count)
	require.EqualValues(t, 3, read.Buckets[len(read.Buckets)-1].Count)
}

func TestAnAttemptIsStuckUntilItEndsAlsoWhenItsClaimHas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var as activities
		var stuck, idle activity
		claim, end := context.WithCancel(t.Context())
		as.add(&stuck, claim)
		as.add(&idle, claim)
		begun := time.Now()
		stuck.begin(&kafka.Record{Topic: "in", Partition: 3, Offset: 17}, clock())
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock
		require.Empty(t, as.longerThan(time.Minute))
		time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock
		end()
		got := as.longerThan(time.Minute)
		require.Len(t, got, 1)
		require.Equal(t, Attempt{Topic: "in", Partition: 3, Offset: 17, Since: got[0].Since}, got[0])
		require.Zero(t, got[0].Since.Sub(begun))
		require.Len(t, as.all, 1, "the idle one is forgotten")

		stuck.end(clock())
		stuck.rest()
		require.Empty(t, as.longerThan(0))
		require.Empty(t, as.all)
		require.EqualValues(t, 1, stuck.took.n)
		stuck.end(clock())
		require.EqualValues(t, 1, stuck.took.n, "nothing was begun since")
	})
}

func TestABreakerTellsTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := newBreaker(1, pipeline.Constant(time.Second), slog.New(slog.NewTextHandler(&log, nil)))
		turn, _ := b.pass()
		b.failed(turn, errDown)
		require.Regexp(t, `level=ERROR msg="the breaker has opened: .* failures_in_a_row=1 error="no answer" next=2000`, log.String())
		turn, _ = b.enter(nil)
		b.failed(turn, errDown)
		require.Regexp(t, `level=WARN msg="the breaker stays open: .* failed_probes=1 error="no answer" next=2000`, log.String())
		turn, _ = b.enter(nil)
		b.succeeded(turn)
		require.Regexp(t, `level=INFO msg="the breaker has closed: .* open_for=.* failed_probes=1`, log.String())
	})
}
