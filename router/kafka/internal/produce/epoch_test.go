package produce_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// cutNext has the next request of a kind end its connection.
func cutNext(c *kfake.Cluster, key kmsg.Key) {
	c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
		return nil, errors.New("its connection breaks"), true
	})
}

// A request that was lost may arrive yet: what follows has another epoch, in which
// sequences begin anew.
func TestAfterALostRequestTheEpochIsAnother(t *testing.T) {
	t.Parallel()
	for _, key := range []kmsg.Key{kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn} {
		t.Run(key.Name(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			epochs := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Observe: true, Count: -1})
			p := newTransactional(t, c.ListenAddrs(), topic, produce.Config{})
			m := client.Membership{Group: "g", Generation: -1}
			transact(t, p, topic, 0, 30, m, 30, true)
			require.Equal(t, 1, epochs.Hits(), "one for all that is not disturbed")

			cutNext(c, key)
			transact(t, p, topic, 30, 60, m, 60, true)
			require.Equal(t, 2, epochs.Hits())

			transact(t, p, topic, 60, 90, m, 90, true)
			transact(t, p, topic, 90, 120, m, 120, true)
			require.Equal(t, 2, epochs.Hits(), "one for what was lost")
			requireSeen(t, c.ListenAddrs(), topic, once(120))
			require.Equal(t, int64(120), committed(t, c.ListenAddrs(), "g", topic))
		})
	}
}

// What has ended has ended: where no other epoch is to be had, there is no other
// transaction.
func TestWithoutAnotherEpochTheProducerIsFenced(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := newTransactional(t, c.ListenAddrs(), topic, produce.Config{})
	cutNext(c, kmsg.EndTxn)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.TransactionalIDAuthorizationFailed, Count: -1})
	transact(t, p, topic, 0, 30, client.Membership{}, -1, true)
	require.ErrorIs(t, p.Begin(), client.ErrFenced)
	requireSeen(t, c.ListenAddrs(), topic, once(30))
}
