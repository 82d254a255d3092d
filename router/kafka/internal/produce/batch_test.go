package produce_test

import (
	"bytes"
	"hash/crc32"
	"math"
	"slices"
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
		outs[i] = client.Output{Ticket: client.Ticket{Entry: int64(i)}, Value: make([]byte, rapid.IntRange(0, 400).Draw(t, "size"))}
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

// cloneOutputs copies outputs with all that they point to.
func cloneOutputs(outs []client.Output) []client.Output {
	outs = slices.Clone(outs)
	for i := range outs {
		o := &outs[i]
		o.Key, o.Value, o.Headers = bytes.Clone(o.Key), bytes.Clone(o.Value), slices.Clone(o.Headers)
		for j, h := range o.Headers {
			o.Headers[j] = client.Header{Key: bytes.Clone(h.Key), Value: bytes.Clone(h.Value)}
		}
	}
	return outs
}

// overwrite uses the memory of outputs for something else.
func overwrite(outs []client.Output) {
	scratch := func(b []byte) {
		for i := range b {
			b[i] = 0xff
		}
	}
	for i := range outs {
		scratch(outs[i].Key)
		scratch(outs[i].Value)
		for _, h := range outs[i].Headers {
			scratch(h.Key)
			scratch(h.Value)
		}
		clear(outs[i].Headers)
	}
	clear(outs)
}

// However a queue is filled, its batches are within the limit, or have a single
// output, and are as large as that allows; they take no more than twice the
// memory; and together they are what was enqueued.
func TestQueuesHaveEveryOutputOnceInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 20_000).Draw(t, "limit")
		q := produce.NewQueue(limit)
		for range rapid.IntRange(1, 3).Draw(t, "times") { // again, in memory that was used
			var outs []client.Output
			for range rapid.IntRange(1, 4).Draw(t, "calls") {
				added := drawOutputs(t)
				for i := range added {
					added[i].Entry = int64(len(outs) + i)
				}
				require.NoError(t, q.Add(added, time.Now()))
				outs = append(outs, added...)
			}
			for rest := outs; len(rest) > 0; {
				b := q.Take()
				n := len(b.Outputs())
				require.Positive(t, n)
				size := client.BatchOverhead
				for i, ticket := range b.Outputs() {
					require.Equal(t, rest[i].Ticket, ticket)
					size += rest[i].Size()
				}
				require.Equal(t, size, b.Size())
				require.True(t, n == 1 || size <= limit, "%d outputs of %d bytes in a batch for %d", n, size, limit)
				most := size
				if n < len(rest) {
					most += rest[n].Size()
					require.Greater(t, most, limit, "the next one would have fitted")
				}
				require.LessOrEqual(t, b.Memory(), max(1<<10, 2*most))
				rest = rest[n:]
				told := b.Outputs()
				q.GiveBack(b)
				require.Equal(t, make([]client.Ticket, n), told, "no owner is held")
			}
			require.Zero(t, q.Queued())
		}
	})
}

// What another client's decoder finds in a batch is what the outputs said when
// they were enqueued, whatever became of their memory since, and whatever that
// of the batch held before; and the header and the checksum are right.
func TestBatchesSayWhatTheirOutputsSay(t *testing.T) {
	t.Parallel()
	for _, id := range codecs {
		t.Run(id.String(), func(t *testing.T) {
			t.Parallel()
			codec, err := produce.NewCodec(id, sarama.CompressionLevelDefault)
			require.NoError(t, err)
			rapid.Check(t, func(t *rapid.T) {
				q := produce.NewQueue(rapid.IntRange(1000, 50_000).Draw(t, "limit"))
				for range rapid.IntRange(1, 3).Draw(t, "times") {
					var outs []client.Output
					now := time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "now"))
					for range rapid.IntRange(1, 3).Draw(t, "calls") {
						added := drawOutputs(t)
						handed := cloneOutputs(added)
						require.NoError(t, q.Add(handed, now))
						overwrite(handed)
						outs = append(outs, added...)
					}
					for len(outs) > 0 {
						b := q.Take()
						n := len(b.Outputs())
						stamp := produce.Stamp{
							ID: rapid.Int64Range(0, math.MaxInt64).Draw(t, "id"), Epoch: rapid.Int16Range(0, math.MaxInt16).Draw(t, "epoch"),
							Sequence: rapid.Int32Range(0, math.MaxInt32).Draw(t, "sequence"), Transactional: rapid.Bool().Draw(t, "transactional"),
						}
						wire, err := q.Finish(b, codec, stamp)
						require.NoError(t, err)
						last := requireRecords(t, wire, outs[:n], now)
						requireHeader(t, wire, outs[:n], now, stamp, id, last)
						q.GiveBack(b)
						outs = outs[n:]
					}
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

func requireHeader(t *rapid.T, wire []byte, outs []client.Output, now time.Time, stamp produce.Stamp, id sarama.CompressionCodec, last int64) {
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
		FirstTimestamp: wantMillis(outs[0].Time, now), MaxTimestamp: last,
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
	wire, err := codec.Encode(produce.NewBatch(), outs, time.Now())
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
	batch := produce.NewBatch()
	var wire []byte
	allocs := testing.AllocsPerRun(50, func() { wire, _ = codec.Encode(batch, outs, now) })
	require.NotEmpty(t, wire)
	require.Zero(t, allocs)
}

func BenchmarkEncode(b *testing.B) {
	outs := benchmarkOutputs(1000)
	for _, id := range codecs {
		b.Run(id.String(), func(b *testing.B) {
			codec, err := produce.NewCodec(id, sarama.CompressionLevelDefault)
			require.NoError(b, err)
			batch, now := produce.NewBatch(), time.Now()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := codec.Encode(batch, outs, now); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(outs)), "ns/record")
		})
	}
}
