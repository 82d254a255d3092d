package kafka

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// rejoined is a session that has a new generation when it was waited for.
type rejoined struct {
	client.Session

	rejoining  bool
	next       int32 // the generation to come
	generation int32
	ended      context.Context //nolint:containedctx // the session's
}

func (r *rejoined) Context() context.Context { return r.ended }
func (r *rejoined) Rejoining() bool          { return r.rejoining }
func (r *rejoined) Membership() client.Membership {
	return client.Membership{Group: "g", Member: "m", Generation: r.generation}
}

func (r *rejoined) Pass(ctx context.Context) error {
	r.rejoining, r.generation = false, r.next
	return ctx.Err()
}

// kept is a claim that has its session's generation, or the one that took it away.
type kept struct {
	client.Claim
	s    *rejoined
	gone int32
}

func (k kept) Generation() int32 {
	if k.gone != 0 {
		return k.gone
	}
	return k.s.generation
}

// judging is a producer whose group takes offsets of one generation only.
type judging struct {
	client.Transactions

	takes  int32
	asked  []int32
	refuse error
}

func (j *judging) AddOffsets(_ context.Context, m client.Membership, _ []client.Offset) error {
	j.asked = append(j.asked, m.Generation)
	if m.Generation != j.takes {
		return j.refuse
	}
	return nil
}

func TestOffsetsThatCrossARejoinAreAddedAgain(t *testing.T) {
	t.Parallel()
	over, end := context.WithCancel(t.Context())
	end()
	other := errors.New("other")
	for name, v := range map[string]struct {
		s      rejoined
		takes  int32
		refuse error
		want   error
		asked  []int32
	}{
		"taken at once":                   {rejoined{generation: 3}, 3, client.ErrStale, nil, []int32{3}},
		"refused while the member joins":  {rejoined{generation: 3, rejoining: true, next: 4}, 4, client.ErrStale, nil, []int32{3, 4}},
		"somebody else's":                 {rejoined{generation: 3}, 4, client.ErrStale, client.ErrStale, []int32{3}},
		"somebody else's after a rejoin":  {rejoined{generation: 3, rejoining: true, next: 4}, 5, client.ErrStale, client.ErrStale, []int32{3, 4}},
		"the session has ended":           {rejoined{generation: 3, rejoining: true, next: 4, ended: over}, 4, client.ErrStale, client.ErrStale, []int32{3}},
		"refused for what no rejoin ends": {rejoined{generation: 3, rejoining: true, next: 4}, 4, other, other, []int32{3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if v.s.ended == nil {
				v.s.ended = t.Context()
			}
			p := &judging{takes: v.takes, refuse: v.refuse}
			n := &number{producer: p}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := n.addOffsets(ctx, &Claim{sess: &session{s: &v.s}, c: kept{s: &v.s}}, nil)
			require.ErrorIs(t, err, v.want)
			require.Equal(t, v.asked, p.asked)
		})
	}
}

// Whoever has the claim since a later generation may have committed already.
func TestOffsetsOfAClaimThatIsGoneAreNotAddedWithALaterGeneration(t *testing.T) {
	t.Parallel()
	s := &rejoined{generation: 4, ended: t.Context()}
	p := &judging{takes: 4, refuse: client.ErrStale}
	err := (&number{producer: p}).addOffsets(t.Context(), &Claim{sess: &session{s: s}, c: kept{s: s, gone: 3}}, nil)
	require.ErrorIs(t, err, client.ErrStale)
	require.Equal(t, []int32{3}, p.asked)
}

func TestOffsetsAreNotAddedForEver(t *testing.T) {
	t.Parallel()
	s := &rejoined{generation: 3, rejoining: true, next: 4, ended: t.Context()}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := (&number{producer: &judging{refuse: client.ErrStale}}).addOffsets(ctx, &Claim{sess: &session{s: s}, c: kept{s: s}}, nil)
	require.ErrorIs(t, err, client.ErrStale)
	require.ErrorIs(t, err, context.Canceled)
}
