package kafka

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// crossing is a session whose first commits cross a rejoin.
type crossing struct {
	client.Session

	refuse    int
	committed []client.Offset
}

func (c *crossing) Commit(_ context.Context, offsets []client.Offset) error {
	if c.refuse > 0 {
		c.refuse--
		return client.ErrRejoining
	}
	c.committed = offsets
	return nil
}

type revokedClaim struct{ client.Claim }

func (revokedClaim) Topic() string    { return "t" }
func (revokedClaim) Partition() int32 { return 3 }

func TestTheLastCommitOfARevokedClaimOutlastsTheRejoin(t *testing.T) {
	t.Parallel()
	c := &crossing{refuse: 3}
	s := newSession(nil, c, nil, nil)
	k := &Claim{sess: s, c: revokedClaim{}, ledger: newLedger(), committed: -1}
	require.NoError(t, s.add(k))
	first := k.ledger.openAll([]Record{{Offset: 7}})
	k.ledger.settle([]settlement{{entry: first}})
	require.NoError(t, s.release(t.Context(), k))
	require.Equal(t, []client.Offset{{Topic: "t", Partition: 3, Offset: 8}}, c.committed)

	c.refuse = 1 << 30
	require.NoError(t, s.add(k))
	k.ledger = newLedger()
	first = k.ledger.openAll([]Record{{Offset: 8}})
	k.ledger.settle([]settlement{{entry: first}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.release(ctx, k), client.ErrRejoining, "but not for ever")
}
