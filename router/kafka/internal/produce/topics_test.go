package produce_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// The lanes of all claims of a process learn of a topic at the same time: one question
// is enough for them, and for those who come after.
func TestManyPreparationsAskOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	var asked atomic.Int32
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Observe: true, Count: -1, When: func(kmsg.Request) bool {
		asked.Add(1)
		return true
	}})
	cl := newClient(t, c.ListenAddrs(), quick())
	topics := produce.NewTopics(cl, sarama.CompressionNone)
	for range 2 {
		var lanes sync.WaitGroup
		for range 3 {
			p := newProducer(t, nil, produce.Config{Client: cl, Topics: topics})
			for range 16 {
				lanes.Go(func() {
					info, err := p.Prepare(within(t), topic)
					if err != nil || info.Partitions != partitions {
						t.Errorf("%v, %v", info, err)
					}
				})
			}
		}
		lanes.Wait()
	}
	require.EqualValues(t, 1, asked.Load())
}

// What could not be learned is asked again.
func TestAFailedPreparationIsNotRemembered(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := newProducer(t, c.ListenAddrs(), produce.Config{Client: newClient(t, c.ListenAddrs(), quick())})
	_, err := p.Prepare(within(t), "later")
	require.ErrorIs(t, err, sarama.ErrUnknownTopicOrPartition)
	admin, err := sarama.NewClusterAdminFromClient(newClient(t, c.ListenAddrs(), quick()))
	require.NoError(t, err)
	require.NoError(t, admin.CreateTopic("later", &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1}, false))
	info, err := p.Prepare(within(t), "later")
	require.NoError(t, err)
	require.Equal(t, 2, info.Partitions)
}

// A broker that somebody else is just connecting is asked again, and no other error is
// taken for that.
func TestABrokerThatIsBeingConnectedIsAskedAgain(t *testing.T) {
	t.Parallel()
	asked := 0
	answer, err := produce.AskOpened(func(*sarama.Broker) (int, error) {
		asked++
		if asked < 3 {
			return 0, sarama.ErrNotConnected
		}
		return asked, nil
	})
	require.NoError(t, err)
	require.Equal(t, 3, answer)
	for _, wrong := range []error{sarama.ErrNotConnected, sarama.ErrOutOfBrokers} {
		_, err := produce.AskOpened(func(*sarama.Broker) (int, error) { return 0, wrong })
		require.ErrorIs(t, err, wrong)
	}
}
