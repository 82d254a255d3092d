package saramaclient

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/snappy/xerial"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// squeeze compresses as other clients do.
func squeeze(t require.TestingT, codec sarama.CompressionCodec, src []byte) []byte {
	var out bytes.Buffer
	switch codec {
	case sarama.CompressionGZIP:
		w := gzip.NewWriter(&out)
		_, err := w.Write(src)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	case sarama.CompressionSnappy:
		return xerial.Encode(nil, src)
	case sarama.CompressionLZ4:
		w := lz4.NewWriter(&out)
		_, err := w.Write(src)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	case sarama.CompressionZSTD:
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		require.NoError(t, err)
		defer func() { require.NoError(t, e.Close()) }()
		return e.EncodeAll(src, nil)
	default:
		return src
	}
	return out.Bytes()
}

// logged encodes records, by a protocol library of others, as one batch.
func logged(t require.TestingT, attributes int16, producer, first, latest int64, records []client.Record) []byte {
	var body []byte
	for _, r := range records {
		one := kmsg.Record{
			OffsetDelta: int32(r.Offset - first), TimestampDelta64: r.Time.UnixMilli() - records[0].Time.UnixMilli(),
			Key: r.Key, Value: r.Value,
		}
		for _, h := range r.Headers {
			one.Headers = append(one.Headers, kmsg.Header{Key: string(h.Key), Value: h.Value})
		}
		one.Length = int32(len(one.AppendTo(nil)) - 1) // zero takes one byte
		body = one.AppendTo(body)
	}
	b := kmsg.RecordBatch{
		FirstOffset: first, Magic: 2, Attributes: attributes, ProducerID: producer, NumRecords: int32(len(records)),
		MaxTimestamp: latest, Records: squeeze(t, sarama.CompressionCodec(attributes&codecMask), body),
	}
	if len(records) > 0 {
		b.FirstTimestamp = records[0].Time.UnixMilli()
		b.LastOffsetDelta = int32(records[len(records)-1].Offset - first)
	}
	b.Length = int32(client.BatchOverhead - beforeBatch + len(b.Records))
	return sealed(b.AppendTo(nil))
}

// sealed corrects the checksum.
func sealed(raw []byte) []byte {
	binary.BigEndian.PutUint32(raw[checksumAt:], crc32.Checksum(raw[attributeAt:], castagnoli))
	return raw
}

func drawRecords(t *rapid.T, first int64) []client.Record {
	some := rapid.SliceOfN(rapid.Byte(), 0, 200)
	maybe := rapid.OneOf(rapid.Just[[]byte](nil), some)
	offset, at := first, int64(1_700_000_000_000)
	records := make([]client.Record, rapid.IntRange(1, 40).Draw(t, "records"))
	for i := range records {
		at += rapid.Int64Range(-10_000, 10_000).Draw(t, "later")
		r := client.Record{Topic: "in", Partition: 3, Offset: offset, Time: time.UnixMilli(at), Key: maybe.Draw(t, "key"), Value: maybe.Draw(t, "value")}
		for range rapid.IntRange(0, 4).Draw(t, "headers") {
			r.Headers = append(r.Headers, client.Header{Key: some.Draw(t, "name"), Value: maybe.Draw(t, "content")})
		}
		records[i] = r
		offset += rapid.Int64Range(1, 3).Draw(t, "gap") // compaction leaves some
	}
	return records
}

// What other libraries encode is decoded, whatever the compression, the times,
// the range asked for, and where the answer is cut off.
func TestBatchesOfOthersAreDecoded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var log []byte
		var all []client.Record
		var whole []int // bytes after each batch
		var ends []int64
		next := rapid.Int64Range(0, 1<<40).Draw(t, "first")
		begin := next
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			records := drawRecords(t, next)
			attributes := int16(rapid.IntRange(0, 4).Draw(t, "codec"))
			latest := records[0].Time.UnixMilli() + 77
			appended := rapid.Bool().Draw(t, "LogAppendTime")
			if appended {
				attributes |= logAppendTime
			}
			log = append(log, logged(t, attributes, -1, next, latest, records)...)
			if appended {
				for i := range records {
					records[i].Time = time.UnixMilli(latest)
				}
			}
			next = records[len(records)-1].Offset + 1
			all, whole, ends = append(all, records...), append(whole, len(log)), append(ends, next)
		}
		from := rapid.Int64Range(begin, next-1).Draw(t, "from")
		end := rapid.Int64Range(from+1, next).Draw(t, "end")
		cutAt := rapid.IntRange(0, len(log)).Draw(t, "cut")
		reached := from
		for i := range whole {
			if whole[i] <= cutAt {
				reached = max(reached, ends[i])
			}
		}
		s := scan{topic: "in", partition: 3, next: from, end: end}
		got, cut, err := s.read(&block{batches: log[:cutAt]})
		require.NoError(t, err)
		require.Equal(t, cutAt > 0 && cutAt < whole[0], cut)
		require.Equal(t, min(reached, end), s.next, "what is left out is still to be read")
		want := []client.Record{}
		for _, r := range all {
			if r.Offset >= from && r.Offset < min(end, reached) {
				want = append(want, r)
			}
		}
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, want[i], got[i])
		}
	})
}

func marker(t require.TestingT, producer, offset int64, kind byte) []byte {
	return logged(t, control|transactional, producer, offset, 0, []client.Record{{Offset: offset, Time: time.UnixMilli(0), Key: []byte{0, 0, 0, kind}}})
}

func TestAbortedTransactionsAndMarkersAreHidden(t *testing.T) {
	t.Parallel()
	of := func(attributes int16, producer, offset int64) []byte {
		return logged(t, attributes, producer, offset, 0, []client.Record{{Offset: offset, Time: time.UnixMilli(5)}})
	}
	log := bytes.Join([][]byte{
		of(0, -1, 0), of(transactional, 7, 1), of(transactional, 8, 2), of(0, 7, 3), marker(t, 7, 4, 0),
		of(transactional, 7, 5), marker(t, 7, 6, 1), marker(t, 8, 7, 1),
	}, nil)
	s := scan{end: math.MaxInt64}
	got, _, err := s.read(&block{batches: log, aborted: []abortion{{producer: 7, first: 1}}})
	require.NoError(t, err)
	var offsets []int64
	for _, r := range got {
		offsets = append(offsets, r.Offset)
	}
	require.Equal(t, []int64{0, 2, 3, 5}, offsets)
	require.EqualValues(t, 8, s.next)
}

func TestMalformedBatchesAreRefused(t *testing.T) {
	t.Parallel()
	good := func() []byte {
		return logged(t, 0, -1, 5, 0, []client.Record{{Offset: 5, Time: time.UnixMilli(0), Value: []byte("some value")}})
	}
	for name, spoil := range map[string]func(b []byte) []byte{
		"checksum":        func(b []byte) []byte { b[len(b)-2] ^= 1; return b },
		"magic 3":         func(b []byte) []byte { b[magicAt] = 3; return b },
		"length":          func(b []byte) []byte { binary.BigEndian.PutUint32(b[lengthAt:], 3); return b },
		"negative length": func(b []byte) []byte { binary.BigEndian.PutUint32(b[lengthAt:], 1<<31); return b },
		"codec":           func(b []byte) []byte { b[attributeAt+1] = 7; return sealed(b) },
		"count":           func(b []byte) []byte { binary.BigEndian.PutUint32(b[recordsAt-4:], 1<<30); return sealed(b) },
		"negative count":  func(b []byte) []byte { binary.BigEndian.PutUint32(b[recordsAt-4:], 1<<31); return sealed(b) },
		"offset":          func(b []byte) []byte { binary.BigEndian.PutUint64(b, 1<<63); return b },
		"record":          func(b []byte) []byte { b[recordsAt] = 0x7e; return sealed(b) },
		"record's offset": func(b []byte) []byte { b[recordsAt+3] = 2; return sealed(b) },
	} {
		s := scan{end: math.MaxInt64}
		_, _, err := s.read(&block{batches: spoil(good())})
		require.ErrorIs(t, err, errMalformed, name)
		require.Zero(t, s.next, name)
	}
	old := good()
	old[magicAt] = 1
	_, _, err := (&scan{end: math.MaxInt64}).read(&block{batches: old})
	require.ErrorContains(t, err, "older than that of Kafka 0.11")
}

func TestWhatIsDecompressedIsBounded(t *testing.T) {
	t.Parallel()
	d := newDecompressor(2000)
	for codec := sarama.CompressionGZIP; codec <= sarama.CompressionZSTD; codec++ {
		fits, err := d.do(codec, squeeze(t, codec, make([]byte, 2000)))
		require.NoError(t, err, codec)
		require.Len(t, fits, 2000)
		_, err = d.do(codec, squeeze(t, codec, make([]byte, 100_000)))
		require.ErrorIs(t, err, errTooLarge, codec)
		_, err = d.do(codec, []byte("neither this nor that is compressed"))
		require.Error(t, err, codec)
	}
	_, err := d.do(sarama.CompressionSnappy, snappy.Encode(nil, make([]byte, 2001)))
	require.ErrorIs(t, err, errTooLarge)
	plain, err := d.do(sarama.CompressionSnappy, snappy.Encode(nil, make([]byte, 999)))
	require.NoError(t, err)
	require.Len(t, plain, 999)
}

// Bytes from outside give records or an error, what is read moves on, and records are
// read the same when others encode them again.
func FuzzAnswers(f *testing.F) {
	for codec := range int16(5) {
		log := logged(f, codec, 7, 5, 0, []client.Record{{Offset: 5, Time: time.UnixMilli(0), Key: []byte("k"), Value: []byte("v"), Headers: []client.Header{{Key: []byte("h")}}}})
		f.Add(log)
		f.Add(append(log, marker(f, 7, 6, 0)...))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		blocks, _, err := decodeFetched(b)
		if err == nil {
			for _, k := range blocks {
				records, _, _ := (&scan{end: math.MaxInt64}).read(k)
				requireKept(t, records)
			}
		}
		if len(b) >= recordsAt {
			b = sealed(bytes.Clone(b)) // or hardly any would be looked into
		}
		s := scan{end: math.MaxInt64}
		records, _, err := s.read(&block{batches: b, aborted: []abortion{{producer: 7}}})
		if err != nil {
			require.Zero(t, s.next)
		}
		for _, r := range records {
			require.Less(t, r.Offset, s.next)
		}
		requireKept(t, records)
	})
}

// requireKept encodes records by a library of others, and reads them.
func requireKept(t *testing.T, records []client.Record) {
	t.Helper()
	n := len(records)
	ascending := slices.IsSortedFunc(records, func(a, b client.Record) int { return cmp.Compare(a.Offset, b.Offset) })
	if n == 0 || !ascending || records[n-1].Offset-records[0].Offset > math.MaxInt32 {
		return // no log has such records in a batch
	}
	s := scan{next: records[0].Offset, end: math.MaxInt64}
	got, _, err := s.read(&block{batches: logged(t, 0, -1, s.next, 0, records)})
	require.NoError(t, err)
	require.Len(t, got, n)
	for i, want := range records {
		require.Equal(t, want.Offset, got[i].Offset)
		require.Equal(t, want.Key, got[i].Key)
		require.Equal(t, want.Value, got[i].Value)
		require.Len(t, got[i].Headers, len(want.Headers))
		for j, h := range want.Headers {
			require.Equal(t, string(h.Key), string(got[i].Headers[j].Key))
			require.Equal(t, h.Value, got[i].Headers[j].Value)
		}
		if records[0].Time.UnixMilli() >= 0 && want.Time.Year() < 10_000 { // else the log has none
			require.Equal(t, want.Time.UnixMilli(), got[i].Time.UnixMilli())
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for codec := range int16(5) {
		b.Run(sarama.CompressionCodec(codec).String(), func(b *testing.B) {
			records := make([]client.Record, 1000)
			for i := range records {
				records[i] = client.Record{Offset: int64(i), Time: time.UnixMilli(int64(i)), Key: []byte("some key"), Value: make([]byte, 200)}
				for range 5 {
					records[i].Headers = append(records[i].Headers, client.Header{Key: []byte("name"), Value: []byte("some content")})
				}
			}
			log := logged(b, codec, -1, 0, 0, records)
			b.ReportAllocs()
			b.SetBytes(int64(len(log)))
			for b.Loop() {
				s := scan{end: math.MaxInt64}
				got, _, err := s.read(&block{batches: log})
				if err != nil || len(got) != len(records) {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}
