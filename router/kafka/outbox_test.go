package kafka_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/router/kafka/internal/client"
)

// prompt is a producer that says of everything, at once, that it is stored.
type prompt struct {
	client.Producer

	done    func(client.Result)
	sent    []client.Output // where keep is set
	keep    bool
	tickets []client.Ticket
}

func (*prompt) Prepare(context.Context, string) (client.Topic, error) {
	return client.Topic{Partitions: 12, MaxBytes: 10_000}, nil
}

func (p *prompt) Enqueue(topic string, outs []client.Output) error {
	if p.keep {
		p.sent = append(p.sent, outs...)
	}
	p.tickets = appendTickets(p.tickets[:0], outs)
	p.done(client.Result{Topic: topic, Outputs: p.tickets})
	return nil
}

func appendTickets(to []client.Ticket, outs []client.Output) []client.Ticket {
	for i := range outs {
		to = append(to, outs[i].Ticket)
	}
	return to
}

// loose returns a claim whose outputs are stored at once.
func loose(t testing.TB, keep bool) (*kafka.Claim, *prompt) {
	t.Helper()
	p := &prompt{keep: keep}
	k := kafka.LooseClaim(func(done func(client.Result)) client.Producer {
		p.done = done
		return p
	})
	t.Cleanup(k.End)
	return k, p
}

const batchSize = 512

// pass moves a batch of records through an outbox.
func pass(tb testing.TB, k *kafka.Claim, out *kafka.Outbox, records []kafka.Record) {
	tb.Helper()
	b := k.Hand(records)
	for i := range b.Records {
		if err := out.Add(b.Entry(i), &kafka.Output{Topic: "out", Key: b.Records[i].Key, Value: b.Records[i].Value}); err != nil {
			tb.Fatal(err)
		}
		out.Settle(b.Entry(i))
	}
	if err := out.Flush(); err != nil {
		tb.Fatal(err)
	}
}

func keyed(n int) []kafka.Record {
	records := make([]kafka.Record, n)
	for i := range records {
		records[i] = kafka.Record{Offset: int64(i), Key: []byte{byte(i)}, Value: make([]byte, 200)}
	}
	return records
}

// The path of a record from the claim to the producer and back is made of
// what is there already.
func TestPassingOnAllocatesNothingARecord(t *testing.T) {
	const budget = 4 // a batch
	k, _ := loose(t, false)
	out, records := k.NewOutbox(), keyed(batchSize)
	pass(t, k, out, records) // what is made once
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { pass(t, k, out, records) }), float64(budget))
}

func BenchmarkPassingOn(b *testing.B) {
	k, _ := loose(b, false)
	out, records := k.NewOutbox(), keyed(batchSize)
	b.ReportAllocs()
	for b.Loop() {
		pass(b, k, out, records)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchSize), "ns/record")
}

func TestOutboxSendsWhatIsSettled(t *testing.T) {
	t.Parallel()
	k, p := loose(t, true)
	out, b := k.NewOutbox(), k.Hand(keyed(4))
	add := func(i int, value string) {
		require.NoError(t, out.Add(b.Entry(i), &kafka.Output{Topic: "out", Value: []byte(value)}))
	}
	add(0, "zero")
	out.Discard()
	add(0, "zero again")
	add(0, "and more")
	out.Settle(b.Entry(0))
	add(1, "not settled")
	require.False(t, out.Empty())
	messages, bytes := out.Settled()
	require.Equal(t, 1, messages)
	require.Positive(t, bytes)
	require.Zero(t, k.Watermark())
	require.NoError(t, out.Flush())
	require.Len(t, p.sent, 2)
	require.False(t, out.Empty(), "one is not settled")
	require.EqualValues(t, 1, k.Watermark())

	out.Settle(b.Entry(1))
	out.Settle(b.Entry(2)) // without outputs
	b.Claim.Abandon(b.Entry(3))
	require.EqualValues(t, 1, k.Watermark(), "not before the flush")
	require.NoError(t, out.Flush())
	require.Len(t, p.sent, 3)
	require.True(t, out.Empty())
	require.EqualValues(t, 3, k.Watermark())
}

func TestWhatIsTooLargeIsRefusedAlone(t *testing.T) {
	t.Parallel()
	k, p := loose(t, true)
	out, b := k.NewOutbox(), k.Hand(keyed(1))
	require.NoError(t, out.Add(b.Entry(0), &kafka.Output{Topic: "out", Value: make([]byte, 9000)}))
	err := out.Add(b.Entry(0), &kafka.Output{Topic: "out", Value: make([]byte, 10_000)})
	var large *kafka.TooLargeError
	require.ErrorAs(t, err, &large)
	require.Equal(t, "out", large.Topic)
	require.Equal(t, 10_000, large.Limit)
	out.Discard()
	require.NoError(t, out.Add(b.Entry(0), &kafka.Output{Topic: "poison", Value: []byte("its story")}))
	out.Settle(b.Entry(0))
	require.NoError(t, out.Flush())
	require.Len(t, p.sent, 1)
	require.EqualValues(t, 1, k.Watermark())
}

// Outputs with a key go where every client expects it; those without one are
// spread, a flush at a time.
func TestOutputsAreSpread(t *testing.T) {
	t.Parallel()
	k, p := loose(t, true)
	out := k.NewOutbox()
	for range 12 {
		b := k.Hand(keyed(1))
		require.NoError(t, out.Add(b.Entry(0), &kafka.Output{Topic: "out", Value: []byte("x")}))
		require.NoError(t, out.Add(b.Entry(0), &kafka.Output{Topic: "out", Key: []byte("same"), Value: []byte("x")}))
		out.Settle(b.Entry(0))
		require.NoError(t, out.Flush())
	}
	with, without := map[int32]bool{}, map[int32]bool{}
	for _, o := range p.sent {
		if o.Key == nil {
			without[o.Partition] = true
		} else {
			with[o.Partition] = true
		}
	}
	require.Len(t, with, 1)
	require.Len(t, without, 12)
}
