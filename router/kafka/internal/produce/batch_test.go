package produce_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

func drawOutputs(t *rapid.T) []client.Output {
	outs := make([]client.Output, rapid.IntRange(1, 60).Draw(t, "outputs"))
	for i := range outs {
		outs[i] = client.Output{Entry: int64(i), Value: make([]byte, rapid.IntRange(0, 400).Draw(t, "size"))}
		if rapid.Bool().Draw(t, "has key") {
			outs[i].Key = []byte{byte(i)}
		}
		if rapid.Bool().Draw(t, "has time") {
			outs[i].Time = time.UnixMilli(rapid.Int64().Draw(t, "time"))
		}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			outs[i].Headers = append(outs[i].Headers, client.Header{
				Key:   rapid.SampledFrom([][]byte{nil, {}, []byte("name")}).Draw(t, "header"),
				Value: []byte{byte(i)},
			})
		}
	}
	return outs
}

// However a queue is cut, its batches are within the limit, or have a single
// output, and are as large as that allows; and together they are the queue.
func TestCutsHaveEveryOutputOnceInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		outs := drawOutputs(t)
		limit := rapid.IntRange(1, 2000).Draw(t, "limit")
		var b produce.Batch
		rest, entry := outs, int64(0)
		for len(rest) > 0 {
			n := b.Cut(rest, limit)
			require.Positive(t, n)
			size := client.BatchOverhead
			for i := range rest[:n] {
				require.Equal(t, entry, rest[i].Entry)
				entry++
				size += rest[i].Size()
			}
			require.Equal(t, size, b.Bytes())
			require.True(t, n == 1 || size <= limit, "%d outputs of %d bytes in a batch for %d", n, size, limit)
			require.True(t, n == len(rest) || size+rest[n].Size() > limit, "the next one would have fitted")
			rest = rest[n:]
		}
		require.Equal(t, int64(len(outs)), entry)
	})
}

// A batch says of its outputs what they are, whatever the slabs held before.
func TestBuildsWhatItIsGiven(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b produce.Batch
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			outs := drawOutputs(t)
			sequence := rapid.Int32Range(0, math.MaxInt32).Draw(t, "sequence")
			now := time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "now"))
			rb := b.Build(outs, sequence, now)

			require.Equal(t, sequence, rb.FirstSequence)
			require.Equal(t, int32(len(outs)-1), rb.LastOffsetDelta)
			require.Len(t, rb.Records, len(outs))
			last := int64(0)
			for i, r := range rb.Records {
				require.Equal(t, int64(i), r.OffsetDelta)
				require.Equal(t, outs[i].Key, r.Key)
				require.Equal(t, outs[i].Value, r.Value)
				require.Len(t, r.Headers, len(outs[i].Headers))
				for j, h := range r.Headers {
					require.NotNil(t, h.Key, "a broker refuses a header without a key")
					require.Equal(t, string(outs[i].Headers[j].Key), string(h.Key))
					require.Equal(t, outs[i].Headers[j].Value, h.Value)
				}
				ms := rb.FirstTimestamp.UnixMilli() + r.TimestampDelta.Milliseconds()
				require.Equal(t, wantMillis(outs[i].Time, now), ms)
				last = max(last, ms)
			}
			require.Equal(t, last, rb.MaxTimestamp.UnixMilli())
		}
	})
}

// wantMillis is the nearest time to t that the encoder takes.
func wantMillis(t, now time.Time) int64 {
	const latest = math.MaxInt64 / int64(time.Millisecond)
	switch ms := t.UnixMilli(); {
	case t.IsZero():
		return now.UnixMilli()
	case ms < 0:
		return 0
	case ms > latest:
		return latest
	default:
		return ms
	}
}

func TestSequenceWrapsAround(t *testing.T) {
	t.Parallel()
	require.Equal(t, int32(7), produce.NextSequence(2, 5))
	require.Equal(t, int32(math.MaxInt32), produce.NextSequence(math.MaxInt32-1, 1))
	require.Equal(t, int32(0), produce.NextSequence(math.MaxInt32, 1))
	require.Equal(t, int32(3), produce.NextSequence(math.MaxInt32-1, 5))
}

// Building a batch allocates nothing once the slabs are there.
func TestBuildAllocatesNothing(t *testing.T) {
	outs := benchmarkOutputs(1000)
	var b produce.Batch
	now := time.Now()
	allocs := testing.AllocsPerRun(50, func() {
		n := b.Cut(outs, math.MaxInt)
		b.Build(outs[:n], 0, now)
	})
	require.Zero(t, allocs)
}

func BenchmarkBuild(b *testing.B) {
	outs := benchmarkOutputs(1000)
	var batch produce.Batch
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		batch.Build(outs, 0, now)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(outs)), "ns/record")
}
