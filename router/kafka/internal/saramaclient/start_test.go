package saramaclient

import (
	"context"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
)

// cut is a claim whose first records were removed after they had been fetched.
type cut struct {
	sarama.ConsumerGroupSession
	sarama.ConsumerGroupClaim
	sarama.Client

	messages chan *sarama.ConsumerMessage
	first    int64
	initial  int64
}

func (*cut) Context() context.Context                        { return context.Background() }
func (*cut) Topic() string                                   { return "t" }
func (*cut) Partition() int32                                { return 0 }
func (c *cut) InitialOffset() int64                          { return c.initial }
func (c *cut) Messages() <-chan *sarama.ConsumerMessage      { return c.messages }
func (c *cut) GetOffset(string, int32, int64) (int64, error) { return c.first, nil }
func (*cut) Pause(map[string][]int32)                        {}
func (*cut) Resume(map[string][]int32)                       {}

func TestNothingBelowTheStartIsHandedOut(t *testing.T) {
	t.Parallel()
	for initial, want := range map[int64]int64{sarama.OffsetOldest: 7, 3: 3} {
		c := &cut{messages: make(chan *sarama.ConsumerMessage, 10), first: 7, initial: initial}
		for offset := range int64(7) {
			c.messages <- &sarama.ConsumerMessage{Topic: "t", Offset: 3 + offset}
		}
		k := &claim{s: c, c: c, conn: c, fetch: newPausing(c, "t", 0, 10)}
		start, err := k.Start(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, start)
		for next := want; next < 10; {
			records, err := k.Next(t.Context(), 2, 1000)
			require.NoError(t, err)
			for _, r := range records {
				require.Equal(t, next, r.Offset)
				next++
			}
		}
	}
}
