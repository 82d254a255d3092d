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
}

func (*begun) Topic() string          { return "t" }
func (*begun) Partition() int32       { return 0 }
func (c *begun) InitialOffset() int64 { return c.initial }
func (*begun) Config() *sarama.Config { return sarama.NewConfig() }

func (c *begun) GetOffset(string, int32, int64) (int64, error) {
	c.first++
	return c.first, nil
}

func TestAClaimKeepsItsStart(t *testing.T) {
	t.Parallel()
	for initial, want := range map[int64]int64{sarama.OffsetOldest: 7, 3: 3} {
		c := &begun{first: 6, initial: initial}
		k := &claim{c: c, conn: c}
		for range 2 {
			start, err := k.Start(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, start)
		}
	}
}
