package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/router/kafka/internal/client"
)

// scripted is a producer whose outputs wait until a test says what became of
// them. Each topic has 3 partitions, and takes batches of 1000 bytes.
type scripted struct {
	client.Producer

	done   func(client.Result)
	refuse error
	queues map[string]*[3][]client.Output // by topic
	stored map[string]*[3]int64           // how many are
	fenced atomic.Bool
}

func newScripted(t interface{ Cleanup(func()) }) (*kafka.Claim, *scripted) {
	p := &scripted{queues: map[string]*[3][]client.Output{}, stored: map[string]*[3]int64{}}
	k := kafka.LooseClaim(func(done func(client.Result)) client.Producer {
		p.done = done
		return p
	})
	t.Cleanup(k.End)
	return k, p
}

func (*scripted) Prepare(context.Context, string) (client.Topic, error) {
	return client.Topic{Partitions: 3, MaxBytes: 1000}, nil
}

func (p *scripted) Fence(error) { p.fenced.Store(true) }

func (p *scripted) Enqueue(topic string, outs []client.Output) error {
	if p.refuse != nil {
		return p.refuse
	}
	if p.queues[topic] == nil {
		p.queues[topic], p.stored[topic] = &[3][]client.Output{}, &[3]int64{}
	}
	for _, o := range outs {
		p.queues[topic][o.Partition] = append(p.queues[topic][o.Partition], o)
	}
	return nil
}

// store says of the first n outputs of a queue that they are stored.
func (p *scripted) store(topic string, partition, n int) {
	q, base := &p.queues[topic][partition], &p.stored[topic][partition]
	p.done(client.Result{Topic: topic, Partition: int32(partition), Outputs: appendTickets(nil, (*q)[:n]), Base: *base})
	*q = (*q)[n:]
	*base += int64(n)
}

func (p *scripted) storeAll() {
	for topic, queues := range p.queues {
		for i := range queues {
			if n := len(queues[i]); n > 0 {
				p.store(topic, i, n)
			}
		}
	}
}

// Whatever order the broker answers in, and whatever else is sent: each call is
// told of its outputs once, when the last of them is stored, with the offset of each.
func TestEachSendIsToldItsOffsetsOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k, p := newScripted(t)
		out := k.NewOutbox()
		type place struct {
			topic     string
			partition int
		}
		sent := map[place]int64{} // how many
		var next int64
		told := map[int][]int64{}
		var want [][]int64
		var last []map[place]int64 // of each call, what has to be stored of each partition
		topics := rapid.SampledFrom([]string{"a", "b"})
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				n := rapid.IntRange(1, 6).Draw(t, "outputs")
				var outs []kafka.Output
				var offsets []int64
				needs := map[place]int64{}
				for range n {
					at := place{topics.Draw(t, "topic"), rapid.IntRange(0, 2).Draw(t, "partition")}
					outs = append(outs, kafka.Output{Topic: at.topic, Key: []byte("elsewhere"), Placed: true, Partition: int32(at.partition)})
					offsets = append(offsets, sent[at])
					sent[at]++
					needs[at] = sent[at]
				}
				i := len(want)
				want, last = append(want, offsets), append(last, needs)
				require.NoError(t, k.Send(outs, func(offsets []int64) {
					require.NotContains(t, told, i, "twice")
					told[i] = slices.Clone(offsets)
				}))
			},
			"flush": func(t *rapid.T) {
				b := k.Hand([]kafka.Record{{Offset: next}})
				next++
				at := place{topics.Draw(t, "topic"), rapid.IntRange(0, 2).Draw(t, "partition")}
				require.NoError(t, out.Add(b.Entry(0), &kafka.Output{Topic: at.topic, Placed: true, Partition: int32(at.partition)}))
				sent[at]++
				out.Settle(b.Entry(0))
				require.NoError(t, out.Flush())
			},
			"store": func(t *rapid.T) {
				topic, partition := topics.Draw(t, "topic"), rapid.IntRange(0, 2).Draw(t, "partition")
				if p.queues[topic] == nil || len(p.queues[topic][partition]) == 0 {
					t.Skip("nothing waits")
				}
				p.store(topic, partition, rapid.IntRange(1, len(p.queues[topic][partition])).Draw(t, "n"))
			},
			"": func(t *rapid.T) {
				for i := range want {
					complete := true
					for at, n := range last[i] {
						complete = complete && p.stored[at.topic][at.partition] >= n
					}
					if complete {
						require.Equal(t, want[i], told[i])
					} else {
						require.NotContains(t, told, i)
					}
				}
			},
		})
		p.storeAll()
		require.Len(t, told, len(want))
		require.Equal(t, next, max(k.Watermark(), 0))
		require.Zero(t, k.InFlight())
	})
}

func TestNobodyIsToldAfterTheClaim(t *testing.T) {
	t.Parallel()
	one := []kafka.Output{{Topic: "a", Placed: true}}
	for name, end := range map[string]func(*kafka.Claim) error{
		"drained":  func(k *kafka.Claim) error { return k.Release(t.Context()) },
		"given up": func(k *kafka.Claim) error { k.End(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, p := newScripted(t)
			told := false
			require.NoError(t, k.Send(one, func([]int64) { told = true }))
			require.NoError(t, end(k))
			p.storeAll()
			require.False(t, told)
		})
	}
	k, p := newScripted(t)
	require.NoError(t, k.Release(t.Context()))
	require.Error(t, k.Send(one, nil), "the partition may be another member's")
	require.Empty(t, p.queues)
}

func TestASendIsTakenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	k, p := newScripted(t)
	var large *kafka.TooLargeError
	err := k.Send([]kafka.Output{{Topic: "a"}, {Topic: "b", Value: make([]byte, 2000)}}, nil)
	require.ErrorAs(t, err, &large)
	require.Equal(t, "b", large.Topic)
	require.Empty(t, p.queues, "nothing of it is sent")
	require.NoError(t, k.Context().Err(), "the claim goes on")
	require.NoError(t, k.Send(nil, nil))
	require.NoError(t, k.Send([]kafka.Output{{Topic: "a"}}, nil))
	p.storeAll()
}

func TestASendThatFailsEndsTheClaim(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	k, p := newScripted(t)
	p.refuse = refused
	require.ErrorIs(t, k.Send([]kafka.Output{{Topic: "a"}}, nil), refused)
	require.True(t, p.fenced.Load(), "the session fails")

	k, p = newScripted(t)
	require.ErrorContains(t, k.Send([]kafka.Output{{Topic: "a", Placed: true, Partition: 3}}, nil), "topic a has no partition 3: it has 3")
	require.True(t, p.fenced.Load())

	// A broker that does not say where something is.
	k, p = newScripted(t)
	told := false
	require.NoError(t, k.Send([]kafka.Output{{Topic: "a", Placed: true}}, func([]int64) { told = true }))
	p.stored["a"][0] = -1
	p.storeAll()
	until(t, p.fenced.Load, "the claim goes on")
	require.False(t, told)
}

func TestWhatIsSentCountsAsInFlight(t *testing.T) {
	t.Parallel()
	k, p := newScripted(t)
	value := make([]byte, 900)
	for range 80_000 { // more than the 64 MiB that are allowed
		require.NoError(t, k.Send([]kafka.Output{{Topic: "a", Placed: true, Value: value}}, nil))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	require.ErrorIs(t, k.Throttle(ctx), enough)
	p.storeAll()
	require.NoError(t, k.Throttle(t.Context()))
}

// To one partition the order is that of the calls, of Send and of Flush, and
// the offsets that are told are those of the log.
func TestSendsAndFlushesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	refuse(b, 3, kerr.NotEnoughReplicas)
	offsets := make(chan []int64, 1000)
	var sent atomic.Int32
	m := join(t, quick(b.Addrs()), func(b *kafka.Batch, out *kafka.Outbox) error {
		for i := range b.Records {
			e := b.Entry(i)
			at := fmt.Sprintf("%d/%d", b.Records[i].Partition, b.Records[i].Offset)
			output := func(name string) kafka.Output {
				return kafka.Output{Topic: "out", Key: b.Records[i].Key, Placed: true, Partition: 1, Value: []byte(at + " " + name)}
			}
			first, second, third := output("first"), output("second"), output("third")
			if err := out.Add(e, &first); err != nil {
				return err
			}
			out.Settle(e)
			if err := out.Flush(); err != nil {
				return err
			}
			sent.Add(1)
			if err := b.Claim.Send([]kafka.Output{second, third}, func(at []int64) { offsets <- at }); err != nil {
				return err
			}
		}
		return nil
	})
	feed(t, b.Addrs(), 20, 5)
	caughtUp(t, b)
	until(t, func() bool { return len(offsets) == int(sent.Load()) }, "not all are told")
	require.Empty(t, m.failures())
	log := brokertest.ReadAll(t, b.Addrs(), "out")
	require.Len(t, log, 300)
	var place string
	var names []string
	last := map[string]string{}
	for _, r := range log {
		require.EqualValues(t, 1, r.Partition, "where it is placed")
		var name string
		_, err := fmt.Sscan(string(r.Value), &place, &name)
		require.NoError(t, err)
		require.Equal(t, map[string]string{"": "first", "first": "second", "second": "third"}[last[place]], name, place)
		last[place] = name
		names = append(names, name)
	}
	for len(offsets) > 0 {
		at := <-offsets
		require.Len(t, at, 2)
		require.Equal(t, "second", names[at[0]])
		require.Equal(t, "third", names[at[1]])
	}
}

func TestAPublisherPlacesToo(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	p := newPublisher(t, publisherTo(b.Addrs()))
	require.NoError(t, p.Send(t.Context(), kafka.Output{Topic: "in", Key: []byte("any"), Placed: true, Partition: 3}, kafka.Output{Topic: "in", Placed: true}))
	log := brokertest.ReadAll(t, b.Addrs(), "in")
	require.Len(t, log, 2)
	require.EqualValues(t, 0, log[0].Partition)
	require.EqualValues(t, 3, log[1].Partition)
	require.ErrorContains(t, p.Send(t.Context(), kafka.Output{Topic: "in", Placed: true, Partition: 4}), "no partition 4")
}
