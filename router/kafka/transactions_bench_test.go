package kafka_test

import (
	"testing"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// What a message costs from being read to its output's being committed, once with
// transactions and once without. The broker's part is in it, in both.
func BenchmarkFlow(b *testing.B) {
	for name, transactions := range map[string]*kafka.TransactionsConfig{"at least once": nil, "exactly once": {}} {
		b.Run(name, func(b *testing.B) {
			br := newFlow(b)
			records := make([]brokertest.Record, b.N)
			for i := range records {
				records[i] = brokertest.Record{Key: []byte{'k', byte(i)}, Value: make([]byte, 200)}
			}
			brokertest.Produce(b, br.Addrs(), "in", records...)
			cfg := quick(br.Addrs())
			cfg.CommitInterval, cfg.Transactions = 0, transactions
			b.ReportAllocs()
			b.ResetTimer()
			m := join(b, cfg, copied(512))
			until(b, func() bool {
				var n int64
				for _, offset := range committed(br) {
					n += offset
				}
				return n >= int64(b.N)
			}, "not all is committed")
			b.StopTimer()
			m.leave()
		})
	}
}
