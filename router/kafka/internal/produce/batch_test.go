package produce_test

import (
	"hash/crc32"
	"math"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
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
		rest, entry := outs, int64(0)
		for len(rest) > 0 {
			n, bytes := produce.Cut(rest, limit)
			require.Positive(t, n)
			size := client.BatchOverhead
			for i := range rest[:n] {
				require.Equal(t, entry, rest[i].Entry)
				entry++
				size += rest[i].Size()
			}
			require.Equal(t, size, bytes)
			require.True(t, n == 1 || size <= limit, "%d outputs of %d bytes in a batch for %d", n, size, limit)
			require.True(t, n == len(rest) || size+rest[n].Size() > limit, "the next one would have fitted")
			rest = rest[n:]
		}
		require.Equal(t, int64(len(outs)), entry)
	})
}

// What another client's decoder finds in a batch is what the outputs say,
// whatever the memory held before, and the header and the checksum are right.
func TestBatchesSayWhatTheirOutputsSay(t *testing.T) {
	t.Parallel()
	for _, id := range codecs {
		t.Run(id.String(), func(t *testing.T) {
			t.Parallel()
			codec, err := produce.NewCodec(id, sarama.CompressionLevelDefault)
			require.NoError(t, err)
			rapid.Check(t, func(t *rapid.T) {
				var wire []byte
				for range rapid.IntRange(1, 3).Draw(t, "batches") {
					outs := drawOutputs(t)
					stamp := produce.Stamp{
						ID: rapid.Int64Range(0, math.MaxInt64).Draw(t, "id"), Epoch: rapid.Int16Range(0, math.MaxInt16).Draw(t, "epoch"),
						Sequence: rapid.Int32Range(0, math.MaxInt32).Draw(t, "sequence"), Transactional: rapid.Bool().Draw(t, "transactional"),
						Now: time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "now")),
					}
					wire, err = codec.Encode(wire, outs, stamp)
					require.NoError(t, err)
					last := requireRecords(t, wire, outs, stamp.Now)
					requireHeader(t, wire, outs, stamp, id, last)
				}
			})
		})
	}
}

// requireRecords checks the records of a batch, and returns the latest of their times.
func requireRecords(t *rapid.T, wire []byte, outs []client.Output, now time.Time) (last int64) {
	read, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{},
		&kmsg.FetchResponseTopicPartition{RecordBatches: wire}, kgo.DefaultDecompressor(), nil)
	require.NoError(t, read.Err)
	require.Len(t, read.Records, len(outs))
	for i, r := range read.Records {
		require.Equal(t, int64(i), r.Offset)
		require.Equal(t, outs[i].Key, r.Key)
		require.Equal(t, outs[i].Value, r.Value)
		require.Len(t, r.Headers, len(outs[i].Headers))
		for j, h := range r.Headers {
			require.Equal(t, string(outs[i].Headers[j].Key), h.Key)
			require.Equal(t, outs[i].Headers[j].Value, h.Value)
		}
		require.Equal(t, wantMillis(outs[i].Time, now), r.Timestamp.UnixMilli())
		last = max(last, r.Timestamp.UnixMilli())
	}
	return last
}

func requireHeader(t *rapid.T, wire []byte, outs []client.Output, stamp produce.Stamp, id sarama.CompressionCodec, last int64) {
	var b kmsg.RecordBatch
	require.NoError(t, b.ReadFrom(wire))
	attributes := int16(id)
	if stamp.Transactional {
		attributes |= 1 << 4
	}
	require.Equal(t, kmsg.RecordBatch{
		Length: int32(len(wire) - 12), PartitionLeaderEpoch: -1, Magic: 2,
		CRC:        int32(crc32.Checksum(wire[21:], crc32.MakeTable(crc32.Castagnoli))),
		Attributes: attributes, LastOffsetDelta: int32(len(outs) - 1), NumRecords: int32(len(outs)),
		FirstTimestamp: wantMillis(outs[0].Time, stamp.Now), MaxTimestamp: last,
		ProducerID: stamp.ID, ProducerEpoch: stamp.Epoch, FirstSequence: stamp.Sequence,
		Records: b.Records,
	}, b)
}

// A record's length has as many bytes as it needs, at each size.
func TestRecordsOfEverySizeAreReadBack(t *testing.T) {
	t.Parallel()
	codec, err := produce.NewCodec(sarama.CompressionNone, 0)
	require.NoError(t, err)
	var outs []client.Output
	for _, around := range []int{0, 1 << 6, 1 << 13, 1 << 20} { // where a varint gets longer
		for size := max(0, around-12); size < around+4; size++ {
			outs = append(outs, client.Output{Value: noise(size)})
		}
	}
	wire, err := codec.Encode(nil, outs, produce.Stamp{})
	require.NoError(t, err)
	read, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{},
		&kmsg.FetchResponseTopicPartition{RecordBatches: wire}, kgo.DefaultDecompressor(), nil)
	require.NoError(t, read.Err)
	require.Len(t, read.Records, len(outs))
	for i, r := range read.Records {
		require.Equal(t, outs[i].Value, r.Value)
	}
}

// A level that a codec does not have is refused at the start.
func TestCodecsRefuseLevels(t *testing.T) {
	t.Parallel()
	_, err := produce.NewCodec(sarama.CompressionGZIP, 17)
	require.ErrorContains(t, err, "gzip with CompressionLevel 17")
	for level := 1; level <= 9; level++ {
		_, err := produce.NewCodec(sarama.CompressionGZIP, level)
		require.NoError(t, err)
	}
}

// wantMillis is the nearest time to t that a batch can have.
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

// Encoding a batch allocates nothing once the memory is there.
func TestEncodeAllocatesNothing(t *testing.T) {
	outs := benchmarkOutputs(1000)
	now := time.Now()
	codec, err := produce.NewCodec(sarama.CompressionNone, 0)
	require.NoError(t, err)
	var wire []byte
	allocs := testing.AllocsPerRun(50, func() {
		n, _ := produce.Cut(outs, math.MaxInt)
		wire, _ = codec.Encode(wire, outs[:n], produce.Stamp{Now: now})
	})
	require.NotEmpty(t, wire)
	require.Zero(t, allocs)
}

func BenchmarkEncode(b *testing.B) {
	outs := benchmarkOutputs(1000)
	for _, id := range codecs {
		b.Run(id.String(), func(b *testing.B) {
			codec, err := produce.NewCodec(id, sarama.CompressionLevelDefault)
			require.NoError(b, err)
			var wire []byte
			now := time.Now()
			b.ReportAllocs()
			for b.Loop() {
				if wire, err = codec.Encode(wire, outs, produce.Stamp{Now: now}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(outs)), "ns/record")
		})
	}
}
