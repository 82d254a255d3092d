package retrylog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/chaos/retrylog"
)

var input = [16]byte{1}

// log folds records of one key, each at the next offset.
type log struct {
	fold *retrylog.Fold
	next int64
}

func (l *log) add(e retrylog.Event) (ended []*retrylog.Live) {
	r := &retrylog.Record{Offset: l.next, Key: []byte("a"), Event: e}
	l.next++
	return l.fold.Apply(r)
}

func (l *log) take() { l.add(retrylog.Event{Kind: retrylog.Take}) }

func (l *log) resume(epoch, w int64) []*retrylog.Live {
	return l.add(retrylog.Event{Kind: retrylog.Resume, Epoch: epoch, Input: input, W: w})
}

func (l *log) park(epoch, source, prev int64, attempts int) {
	p := retrylog.Parked{Entry: retrylog.Entry{Topic: input, Offset: source}, Rank: prev, Prev: prev, Attempts: attempts}
	l.add(retrylog.Event{Kind: retrylog.Park, Epoch: epoch, Parked: p})
}

func (l *log) of(kind retrylog.Kind, epoch int64, sources ...int64) []*retrylog.Live {
	e := retrylog.Event{Kind: kind, Epoch: epoch}
	for _, s := range sources {
		e.Entries = append(e.Entries, retrylog.Entry{Topic: input, Offset: s})
	}
	return l.add(e)
}

func (l *log) queue() (sources []int64) {
	for _, live := range l.fold.Key("a") {
		sources = append(sources, live.Entry.Offset)
	}
	return sources
}

func TestAFoldKnowsWhatIsParked(t *testing.T) {
	t.Parallel()
	l := &log{fold: retrylog.NewFold()}
	l.take()             // 0
	l.park(0, 10, -1, 1) // 1
	l.park(0, 11, -1, 0) // 2
	l.park(0, 12, -1, 0) // 3
	require.Equal(t, []int64{10, 11, 12}, l.queue())

	l.of(retrylog.Start, 0, 10, 11) // 4
	first := l.fold.Live(retrylog.Entry{Topic: input, Offset: 10})
	second := l.fold.Live(retrylog.Entry{Topic: input, Offset: 11})
	require.Equal(t, []int64{4, 4}, []int64{first.Run, second.Run})

	l.park(0, 10, 1, 2) // 5: it failed again, and the run is over for both
	require.Equal(t, []int64{-1, -1}, []int64{first.Run, second.Run})
	require.Equal(t, []int64{10, 11, 12}, l.queue(), "the rank stays")
	require.Equal(t, 2, first.Attempts)

	require.Len(t, l.of(retrylog.Done, 0, 10), 1) // 6
	l.park(0, 10, 5, 3)                           // 7: a copy of what has ended
	require.Equal(t, []int64{11, 12}, l.queue())

	l.take()                           // 8
	require.Empty(t, l.resume(0, 0))   // of the owner before
	require.Len(t, l.resume(8, 12), 1) // the input brings 12 again
	require.Equal(t, []int64{11}, l.queue())
	require.Equal(t, int64(8), l.fold.Epoch)
}

func TestRecordsOfAnotherEpochAreVoid(t *testing.T) {
	t.Parallel()
	l := &log{fold: retrylog.NewFold()}
	l.park(0, 10, -1, 1)
	require.Zero(t, l.fold.Len(), "no epoch is in force")
	l.take() // 1
	l.park(1, 10, -1, 1)
	l.take() // 3
	l.park(1, 11, -1, 1)
	require.Empty(t, l.of(retrylog.Done, 1, 10))
	l.of(retrylog.Start, 1, 10)
	require.Equal(t, []int64{10}, l.queue())
	require.Equal(t, int64(-1), l.fold.Live(retrylog.Entry{Topic: input, Offset: 10}).Run)
	require.Len(t, l.of(retrylog.Done, 3, 10), 1)
	require.Zero(t, l.fold.Len())
}

func TestAFoldCanBeginAtAScan(t *testing.T) {
	t.Parallel()
	l := &log{fold: retrylog.NewFold(), next: 100}
	l.of(retrylog.Scan, 50)
	require.Equal(t, int64(50), l.fold.Epoch)
	l.park(50, 12, 90, 1) // copies of what lies below, not in order
	l.park(50, 10, 80, 1)
	require.Equal(t, []int64{10, 12}, l.queue())
	l.park(50, 10, 102, 2)
	require.Equal(t, []int64{10, 12}, l.queue())
	l.park(50, 11, 101, 1) // takes the place of what it is not
	require.Equal(t, []int64{10, 12}, l.queue())
}
