package broker_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
)

// follower is a member of a group that tells every record it gets, commits it,
// and stays.
type follower struct {
	taken chan int
}

func (follower) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (follower) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (f follower) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		number, err := strconv.Atoi(string(message.Value))
		if err != nil {
			return err
		}
		session.MarkMessage(message, "")
		session.Commit()
		f.taken <- number
	}
	return nil
}

func TestAMemberOutlivesItsBroker(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*child){
		"closed": func(c *child) { c.end(t) },
		"killed": func(c *child) { c.kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c := startChild(t, dir)
			brokertest.CreateTopic(t, c.addrs, "a", 1)
			f := follower{taken: make(chan int, 1000)}
			defer f.follow(t, c.addrs)()
			const each = 50
			for round := range 3 {
				if round > 0 {
					end(c)
					c = startChild(t, dir)
				}
				var records []brokertest.Record
				for i := range each {
					records = append(records, brokertest.Record{Value: strconv.AppendInt(nil, int64(round*each+i), 10)})
				}
				brokertest.Produce(t, c.addrs, "a", records...)
				f.requireAll(t, round*each, (round+1)*each)
			}
		})
	}
}

// follow makes the follower a member of the group g until the function that it
// returns is called.
func (f follower) follow(t testing.TB, addrs []string) (stop func()) {
	t.Helper()
	config := saramaConfig()
	config.Metadata.Retry.Backoff = 20 * time.Millisecond
	config.Metadata.Retry.Max = 100
	group, err := sarama.NewConsumerGroup(addrs, "g", config)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_ = group.Consume(ctx, []string{"a"}, f) // an error is a broker that is gone: join again
		}
	}()
	return func() {
		cancel()
		<-ended
		_ = group.Close()
	}
}

// requireAll waits for the records from one number up to another, and requires
// that none is skipped. A record may come again.
func (f follower) requireAll(t testing.TB, from, to int) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for next := from; next < to; {
		select {
		case got := <-f.taken:
			require.LessOrEqual(t, got, next, "records were skipped")
			next = max(next, got+1)
		case <-deadline:
			require.FailNow(t, "the member did not get the record", "%d", next)
		}
	}
}
