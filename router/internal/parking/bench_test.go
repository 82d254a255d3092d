package parking_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/penstock/penstock/router/internal/parking"
)

func parks(n int, key func(i int) []byte) []*parking.Park {
	out := make([]*parking.Park, n)
	for i := range out {
		out[i] = &parking.Park{
			Entry: parking.Entry{Topic: inputTopic, Offset: int64(i)}, Rank: -1, Prev: -1, Attempts: 1,
			NotBefore: at(int64(i % 1000)), SourceTime: at(0), Message: parking.Message{Key: key(i)},
		}
	}
	return out
}

func distinct(i int) []byte { return fmt.Appendf(nil, "customer-%010d", i) }

func foldParks(events []*parking.Park) *parking.Index {
	ix := parking.New(parking.Config{CacheBytes: -1})
	ix.Apply(&parking.Take{}, 0)
	for i, e := range events {
		ix.Apply(e, int64(i)+1)
	}
	return ix
}

// BenchmarkFoldMillion folds a million PARKs, and tells the memory that a live
// message takes, its key of 19 bytes included.
func BenchmarkFoldMillion(b *testing.B) {
	for name, key := range map[string]func(int) []byte{
		"distinct keys": distinct,
		"a key":         func(int) []byte { return []byte("customer") },
		"no key":        func(int) []byte { return nil },
	} {
		b.Run(name, func(b *testing.B) {
			events := parks(1_000_000, key)
			b.ReportAllocs()
			var before, after runtime.MemStats
			for b.Loop() {
				b.StopTimer()
				runtime.GC()
				runtime.ReadMemStats(&before)
				b.StartTimer()
				ix := foldParks(events)
				b.StopTimer()
				runtime.GC()
				runtime.ReadMemStats(&after)
				runtime.KeepAlive(ix)
				b.StartTimer()
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(events)), "B/entry")
		})
	}
}

// BenchmarkLife is a message's whole life in an index with 10,000 others: PARK,
// START, DONE.
func BenchmarkLife(b *testing.B) {
	ix := foldParks(parks(10_000, distinct))
	key := []byte("other")
	p := &parking.Park{Rank: -1, Prev: -1, Message: parking.Message{Key: key}}
	entries := []parking.Entry{{}}
	start, done := &parking.Start{Entries: entries}, &parking.Done{Outcome: parking.Succeeded, Entries: entries}
	offset := int64(20_000)
	b.ReportAllocs()
	for b.Loop() {
		offset++
		p.Entry.Offset, entries[0].Offset = offset, offset
		ix.Expect(key)
		ix.Apply(p, offset)
		run, _ := ix.Take(at(0), 16)
		ix.Apply(start, offset)
		ix.Apply(done, offset)
		ix.Ran(run)
	}
}

func BenchmarkIsParked(b *testing.B) {
	key := []byte("customer-0000000007")
	for name, n := range map[string]int{"empty": 0, "million": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			ix := foldParks(parks(n, distinct))
			b.ReportAllocs()
			for b.Loop() {
				ix.IsParked(key)
			}
		})
	}
}

func BenchmarkCodec(b *testing.B) {
	p := &parking.Park{Rank: -1, Prev: -1, FirstError: "connection refused", LastError: "connection refused", Message: parking.Message{Key: []byte("k"), Value: make([]byte, 100)}}
	r := record(p)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			parking.Encode(p)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = parking.Decode(r)
		}
	})
}
