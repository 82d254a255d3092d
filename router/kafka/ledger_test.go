package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// ledgerModel is a ledger as one would write it first: every entry kept for
// ever, the watermark found by looking at all of them.
type ledgerModel struct {
	offsets []int64
	open    []bool
	waits   []int
	dropped []bool
}

func (m *ledgerModel) done(i int) bool { return !m.open[i] && m.waits[i] == 0 && !m.dropped[i] }

func (m *ledgerModel) watermark() (int64, bool) {
	for i, o := range m.offsets {
		if !m.done(i) {
			return o, true
		}
	}
	if n := len(m.offsets); n > 0 {
		return m.offsets[n-1] + 1, true
	}
	return 0, false
}

func (m *ledgerModel) pick(t *rapid.T, want func(i int) bool) (int, bool) {
	var fit []int
	for i := range m.offsets {
		if want(i) {
			fit = append(fit, i)
		}
	}
	if len(fit) == 0 {
		return 0, false
	}
	return rapid.SampledFrom(fit).Draw(t, "entry"), true
}

func TestLedgerWatermarkIsTheFirstOffsetNotDone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, m := newLedger(), &ledgerModel{}
		offset := rapid.Int64Range(0, 1<<40).Draw(t, "first offset")
		t.Repeat(map[string]func(*rapid.T){
			"open": func(t *rapid.T) {
				var records []Record
				for range rapid.IntRange(1, 700).Draw(t, "records") {
					offset += rapid.Int64Range(1, 3).Draw(t, "gap") // compaction and markers leave gaps
					records = append(records, Record{Offset: offset})
					m.offsets = append(m.offsets, offset)
					m.open, m.waits, m.dropped = append(m.open, true), append(m.waits, 0), append(m.dropped, false)
				}
				require.EqualValues(t, len(m.offsets)-len(records), l.openAll(records))
			},
			"settle": func(t *rapid.T) {
				i, ok := m.pick(t, func(i int) bool { return m.open[i] })
				if !ok {
					t.Skip("nothing is open")
				}
				n := rapid.IntRange(0, 3).Draw(t, "outputs")
				m.open[i], m.waits[i] = false, n
				l.settle([]settlement{{entry: int64(i), outputs: int32(n), bytes: 10}})
			},
			"settle twice": func(t *rapid.T) {
				i, ok := m.pick(t, func(i int) bool { return !m.open[i] && !m.dropped[i] })
				if !ok {
					t.Skip("nothing is settled")
				}
				if w, _ := m.watermark(); m.offsets[i] >= w {
					m.waits[i]++
				} // else it is too late: it may have been committed
				l.settle([]settlement{{entry: int64(i), outputs: 1}})
			},
			"settle what is given up": func(t *rapid.T) {
				i, ok := m.pick(t, func(i int) bool { return m.dropped[i] })
				if !ok {
					t.Skip("nothing is given up")
				}
				l.settle([]settlement{{entry: int64(i), outputs: 1}})
				l.confirm([]client.Ticket{{Entry: int64(i)}})
			},
			"confirm what is closed": func(t *rapid.T) {
				i, ok := m.pick(t, m.done)
				if !ok {
					t.Skip("nothing is closed")
				}
				l.confirm([]client.Ticket{{Entry: int64(i)}})
			},
			"confirm": func(t *rapid.T) {
				i, ok := m.pick(t, func(i int) bool { return m.waits[i] > 0 })
				if !ok {
					t.Skip("nothing waits")
				}
				m.waits[i]--
				l.confirm([]client.Ticket{{Entry: int64(i)}})
			},
			"abandon": func(t *rapid.T) {
				i, ok := m.pick(t, func(i int) bool { return m.open[i] })
				if !ok {
					t.Skip("nothing is open")
				}
				m.open[i], m.dropped[i] = false, true
				l.abandon(int64(i))
			},
			"": func(t *rapid.T) {
				want, wantOK := m.watermark()
				got, ok := l.watermark()
				require.Equal(t, wantOK, ok)
				require.Equal(t, want, got)
				quiet, unsent := true, false
				for i := range m.offsets {
					quiet = quiet && !m.open[i] && m.waits[i] == 0
					unsent = unsent || m.waits[i] > 0
				}
				require.Equal(t, quiet, l.pending == 0, "quiet exactly when nothing is expected any more")
				require.Equal(t, unsent, l.unsent > 0)
				if n, b := l.inFlight(); n == 0 {
					require.Zero(t, b, "bytes of closed entries are given back")
				}
			},
		})
	})
}

func TestLedgerOfAnEndedClaimMovesNothing(t *testing.T) {
	t.Parallel()
	l := newLedger()
	first := l.openAll([]Record{{Offset: 7}, {Offset: 8}})
	l.settle([]settlement{{entry: first, outputs: 1}, {entry: first + 1}})
	l.kill()
	l.confirm([]client.Ticket{{Entry: first}}) // the broker's answer comes late
	_, ok := l.watermark()
	require.False(t, ok)
}

func TestLedgerRoomComesWithConfirmations(t *testing.T) {
	t.Parallel()
	l := newLedger()
	first := l.openAll([]Record{{Offset: 0}, {Offset: 1}})
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan int64, 1)
	go func() {
		room, _, err := l.awaitRoom(ctx, 2, 1<<20)
		if err == nil {
			got <- room
		}
		close(got)
	}()
	l.settle([]settlement{{entry: first + 1}}) // not the head: no room yet
	l.settle([]settlement{{entry: first, outputs: 1}})
	select {
	case <-got:
		t.Fatal("room before the head is closed")
	case <-time.After(10 * time.Millisecond):
	}
	l.confirm([]client.Ticket{{Entry: first}})
	require.EqualValues(t, 2, <-got)

	l.openAll([]Record{{Offset: 2, Value: make([]byte, 1<<20)}})
	cancel()
	_, _, err := l.awaitRoom(ctx, 100, 1<<20)
	require.ErrorIs(t, err, context.Canceled, "the bound in bytes holds too")
}

func BenchmarkLedger(b *testing.B) {
	records := make([]Record, 512)
	done := make([]settlement, len(records))
	outs := make([]client.Ticket, len(records))
	l := newLedger()
	b.ReportAllocs()
	for offset := int64(0); b.Loop(); offset += int64(len(records)) {
		for i := range records {
			records[i].Offset = offset + int64(i)
		}
		first := l.openAll(records)
		for i := range done {
			done[i] = settlement{entry: first + int64(i), outputs: 1}
			outs[i].Entry = first + int64(i)
		}
		l.settle(done)
		l.confirm(outs)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
