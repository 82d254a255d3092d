package parking_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

func TestPayloadsAreKeptWhileThereIsRoom(t *testing.T) {
	t.Parallel()
	ix := parking.New(parking.Config{CacheBytes: 4 << 10})
	ix.Apply(&parking.Take{}, 0)
	park := func(offset int64, size int) *parking.Park {
		p := first(offset)
		p.Message.Key = fmt.Appendf(nil, "key%d", offset)
		p.Message.Value = make([]byte, size)
		p.Message.Headers = []kafka.Header{{Key: []byte("h"), Value: []byte("v")}, {Key: []byte{}, Value: nil}}
		ix.Apply(p, offset)
		return p
	}
	small, large := park(1, 100), park(2, 4<<10)
	payload := func() *parking.Park {
		run, ok := ix.Take(at(0), 1)
		require.True(t, ok)
		return run.Items[0].Payload
	}
	kept := payload()
	require.Equal(t, small, kept)
	small.Message.Value[0], small.Message.Headers[0].Value[0] = 1, 'x'
	require.Zero(t, kept.Message.Value[0], "it is a copy")
	require.Equal(t, "v", string(kept.Message.Headers[0].Value))
	require.Nil(t, payload(), "a large one is to be fetched")
	require.Positive(t, ix.Stats().CacheBytes)

	ix.Apply(doneOf(small.Entry, large.Entry), 3)
	require.Zero(t, ix.Stats().CacheBytes)
}

func TestKeyIsParkedUntilAllThatIsExpectedIsResolved(t *testing.T) {
	t.Parallel()
	ix := fold([]logged{{0, &parking.Take{}}})
	ix.Expect(key)
	ix.Expect(key)
	ix.Expect(nil)
	require.Equal(t, 3, ix.Stats().Expected)
	require.Equal(t, 1, ix.Room(4))
	require.Equal(t, 0, ix.Room(2))
	ix.Apply(first(1), 1)
	require.Equal(t, 2, ix.Stats().Expected)
	ix.Apply(doneOf(own(1)), 2)
	require.True(t, ix.IsParked(key), "one is still expected")
	ix.Unexpect(key)
	require.False(t, ix.IsParked(key))
	require.False(t, ix.Empty(), "one without a key is expected")
	ix.Unexpect(nil)
	require.True(t, ix.Empty())
	ix.Unexpect(nil)
	ix.Unexpect(key)
	require.Zero(t, ix.Stats().Expected, "nothing was expected any more")
}

func TestCleaningPaysWhenTheLogIsLongAndLittleIsLive(t *testing.T) {
	t.Parallel()
	ix := fold([]logged{{0, &parking.Take{}}})
	require.False(t, ix.WorthCleaning(9_999))
	require.True(t, ix.WorthCleaning(10_000))
	for i := range int64(2501) {
		ix.Apply(first(i), 1+i)
	}
	require.False(t, ix.WorthCleaning(10_003), "more than a quarter is live")
	require.True(t, ix.WorthCleaning(10_004))

	require.NoError(t, ix.BeginCleanUp(20_000))
	require.False(t, ix.WorthCleaning(50_000), "one is under way")
	for i, it := range ix.NextCopies(3000) {
		ix.Apply(it.Again(0, it.Payload), 20_001+int64(i))
	}
	require.NoError(t, ix.EndCleanUp())
	require.False(t, ix.WorthCleaning(30_003), "a fold begins at the SCAN now")
	require.True(t, ix.WorthCleaning(30_004))
}

// An index that was full and is empty again serves on.
func TestEmptyIndexBeginsAnew(t *testing.T) {
	t.Parallel()
	ix := foldParks(parks(5000, distinct))
	offset := int64(10_000)
	for run, ok := ix.Take(at(1000), 10); ok; run, ok = ix.Take(at(1000), 10) {
		offset++
		ix.Apply(doneOf(run.Items[0].Entry), offset)
		ix.Ran(run)
	}
	require.True(t, ix.Empty())
	ix.Apply(first(1), offset+1)
	require.True(t, ix.IsParked(key))
	require.Equal(t, 1, ix.Stats().Live)
}

func TestIndexServesManyAtOnce(t *testing.T) {
	t.Parallel()
	ix := fold([]logged{{0, &parking.Take{}}})
	var lanes sync.WaitGroup
	for lane := range int64(4) {
		lanes.Go(func() {
			mine := fmt.Appendf(nil, "lane%d", lane)
			for i := range int64(200) {
				offset := 1 + lane*1000 + i
				p := first(offset)
				p.Message.Key = mine
				ix.Expect(mine)
				ix.Apply(p, offset)
				ix.IsParked(mine)
				ix.Empty()
				ix.Stats()
				if run, ok := ix.Take(at(0), 4); ok {
					for _, it := range run.Items {
						ix.Apply(doneOf(it.Entry), 10_000+offset)
					}
					ix.Ran(run)
				}
			}
		})
	}
	lanes.Wait()
	for run, ok := ix.Take(at(0), 4); ok; run, ok = ix.Take(at(0), 4) {
		for _, it := range run.Items {
			ix.Apply(doneOf(it.Entry), 20_000)
		}
		ix.Ran(run)
	}
	require.True(t, ix.Empty(), "all was taken once")
}
