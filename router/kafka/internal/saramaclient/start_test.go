package saramaclient

import (
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
)

// begun is a claim of a log that loses its first records.
type begun struct {
	sarama.ConsumerGroupClaim
	sarama.Client

	first   int64
	initial int64
	asked   chan struct{} // somebody wants to know who leads the partition
}

func (*begun) Topic() string          { return "t" }
func (*begun) Partition() int32       { return 0 }
func (c *begun) InitialOffset() int64 { return c.initial }
func (*begun) Config() *sarama.Config { return sarama.NewConfig() }

func (c *begun) GetOffset(string, int32, int64) (int64, error) {
	c.first++
	return c.first, nil
}

func (c *begun) LeaderAndEpoch(string, int32) (*sarama.Broker, int32, error) {
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return nil, 0, sarama.ErrLeaderNotAvailable
}

func (*begun) RefreshMetadata(...string) error { return nil }

func TestAClaimKeepsItsStart(t *testing.T) {
	t.Parallel()
	for initial, want := range map[int64]int64{sarama.OffsetOldest: 7, 3: 3} {
		c := &begun{first: 6, initial: initial, asked: make(chan struct{}, 1)}
		k := &claim{c: c, conn: c, fetcher: newFetcher(c, c.Config(), func(error) {})}
		t.Cleanup(k.fetcher.close)
		for range 2 {
			start, err := k.Start(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, start)
		}
		<-c.asked // what is there is fetched before anybody asks for it
	}
}
