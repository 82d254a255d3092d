package kafka_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/router/kafka"
)

// A member that is closed while the group hands out its partitions anew is given
// its new generation first: with the old one its last commit would be refused,
// and what it did be done again.
func TestAStopWithinARebalanceRepeatsNothing(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	cfg := quick(b.Addrs())
	cfg.CommitInterval = patience // only the last commit counts
	done := make(chan struct{}, 1000)
	m := join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
		err := copied(20)(b, out)
		for range b.Records {
			done <- struct{}{}
		}
		return err
	})
	feed(t, b.Addrs(), 20, 20)
	for range 400 {
		<-done
	}
	info := b.Cluster().GroupInfo(group)
	require.Len(t, info.Members, 1)
	first := info.Members[0].MemberID
	held, goOn := make(chan struct{}), make(chan struct{})
	b.Cluster().ControlKey(int16(kmsg.SyncGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if req.(*kmsg.SyncGroupRequest).MemberID == first {
			b.Cluster().DropControl()
			close(held)
			b.Cluster().SleepControl(func() { <-goOn })
		}
		return nil, nil, false //nolint:nilnil // the broker answers
	})
	join(t, quick(b.Addrs()), copied(20))
	select {
	case <-held: // the group has a new generation, the member does not know it
	case <-within(t).Done():
		require.FailNow(t, "the member does not join again")
	}
	closed := m.closing()
	select {
	case <-closed:
	case <-time.After(20 * tick): // long enough to leave at once
	}
	close(goOn)
	<-closed
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b))
}
