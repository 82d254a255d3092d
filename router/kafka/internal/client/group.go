package client

import (
	"context"
	"errors"
	"fmt"
)

// ErrStale means that a commit was refused because the member is no longer
// what it was when its claims were given: they belong to somebody else.
var ErrStale = errors.New("the group has moved on: the claim belongs to another member")

// Membership names a member of a group at one generation.
type Membership struct {
	Group      string
	Member     string
	Instance   string // static membership; empty: none
	Generation int32
}

// ErrRejoining means that a commit or a heartbeat crossed a change of the
// group's members: it can be sent again when Rejoining is over.
var ErrRejoining = errors.New("the group is handing out its partitions anew")

// LostRangeError says that records which were still to be read are gone: the
// offset to go on from is not in the log any more, because the topic's
// retention removed it or the topic was made anew.
type LostRangeError struct {
	Topic     string
	Partition int32
}

// Error implements error.
func (e *LostRangeError) Error() string {
	return fmt.Sprintf("the committed offset of %s/%d is not in the log any more: records were removed before they were read", e.Topic, e.Partition)
}

// Offset is the first offset of a partition that is not done yet, as it is
// committed.
type Offset struct {
	Topic     string
	Partition int32
	Offset    int64
	Metadata  string
}

// Group is one member of a consumer group.
type Group interface {
	// Run joins the group, hands claims to the handler and joins again after each
	// session, until ctx ends or a call of the handler fails. It returns nil
	// when ctx ended, and what the handler or the client returned otherwise.
	// It has left the group when it returns.
	Run(ctx context.Context, h Handler) error
}

// Handler is told of a member's sessions and claims. The calls of one session
// are ordered: Begin, then Claim once a claim, side by side, then End.
type Handler interface {
	// Begin is called when the member has its claims and none of them is read
	// yet. An error ends the session.
	Begin(ctx context.Context, s Session) error

	// Claim serves a claim, also one that is added while the session lasts. It
	// returns when Next of the claim has returned io.EOF and all that is to be committed of it is committed. Any earlier
	// return ends the session for all claims.
	Claim(s Session, c Claim) error

	// End is called when every Claim has returned and before the member gives
	// its claims up.
	End(s Session) error
}

// Session is what a member has between joining and leaving or rejoining.
type Session interface {
	// Context ends when the claims of the session have to be given up, and its
	// cause says why.
	Context() context.Context

	// Membership is the member at the session's generation.
	Membership() Membership

	// Claims lists the partitions that the session has, by topic. They change
	// while it lasts.
	Claims() map[string][]int32

	// Pass waits while the group hands out its partitions anew. No message may
	// be begun meanwhile: the member may have been evicted. It costs next to
	// nothing when there is nothing to wait for. An error is the context's.
	Pass(ctx context.Context) error

	// Rejoining tells that the group hands out its partitions anew. Nothing is
	// to be committed meanwhile.
	Rejoining() bool

	// Commit stores offsets in one request. ErrStale means that none of them
	// is this member's to commit any more.
	Commit(ctx context.Context, offsets []Offset) error

	// Heartbeat makes sure that the member is one still. ErrStale means that
	// its claims are somebody else's; while the group rebalances they are not.
	Heartbeat(ctx context.Context) error

	// Committed fetches what is committed of the partitions. Where nothing
	// is, Offset is -1. It waits for pending transactions to be resolved.
	Committed(ctx context.Context, topics map[string][]int32) ([]Offset, error)
}

// Claim is one partition of a session.
type Claim interface {
	Topic() string
	Partition() int32

	// Start is the offset at which reading begins: nothing below it is handed
	// out by Next, and everything from it on is. It is called before Next.
	Start(ctx context.Context) (int64, error)

	// Next waits for at least one record and returns what is there already,
	// up to limit records and about maxBytes of them (but always one). It returns
	// none where only Passed has moved. The
	// slice is the caller's to keep. io.EOF means that the claim is over: it
	// was revoked, or the session ends. An end of ctx gives its cause.
	Next(ctx context.Context, limit, maxBytes int) ([]Record, error)

	// Passed is the offset below which Next has returned all that it ever will. It
	// is behind the markers of transactions, which are no records. It is for the
	// caller of Next.
	Passed() int64

	// Revoked is closed when the partition is to be given up though the session
	// goes on. Next says so too, but only to who calls it.
	Revoked() <-chan struct{}

	// Generation is the newest one in which the member has the claim, or where it
	// was revoked the one that took it away: what a commit of the claim is made
	// with.
	Generation() int32

	// HighWatermark is the offset behind the last record that the broker is
	// known to have.
	HighWatermark() int64
}
