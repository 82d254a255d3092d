package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/IBM/sarama"
)

// SubscriberConfig is the configuration of a Subscriber.
type SubscriberConfig struct {
	Config

	// Group is the consumer group. Required.
	Group string

	// Topics maps what Subscribe is called with to the topics that are read,
	// all by one member of the group. Defaults to the topic of that name.
	Topics func(name string) []string

	// Batches delivers a claim's records as one message, see [Batch]. Defaults
	// to false: a message a record.
	Batches bool

	// MaxUnacked is how many messages of a partition may be delivered and not
	// yet be acknowledged, where Batches is off. With 1 a partition's messages
	// are delivered one after the other, each when the one before is
	// acknowledged, so their order is kept. With more they are worked on side by
	// side, and their order is given up; what is committed is still only what
	// is acknowledged, with all before it. Defaults to 1.
	MaxUnacked int

	// Marshaler turns records into messages where Batches is off. Defaults to
	// DefaultMarshaler.
	Marshaler Unmarshaler

	// MaxBatch is the most records of a batch. Defaults to 512.
	MaxBatch int

	// MaxInFlight is how many messages of a claim may be read and not yet be
	// done. Defaults to 16384.
	MaxInFlight int

	// MaxInFlightBytes is how many bytes of a claim's messages and their
	// outputs may be in flight before it stops reading. Defaults to 64 MiB.
	MaxInFlightBytes int64

	// CommitInterval is how often offsets are committed. What was done since
	// the last commit is repeated after a crash. Defaults to 500 ms.
	CommitInterval time.Duration

	// DrainTimeout is how long a claim that ends may take to finish what is in
	// flight. It must be shorter than RebalanceTimeout. Defaults to 30 s.
	DrainTimeout time.Duration

	// SessionTimeout is how long a member may be silent before its partitions
	// go to others. Defaults to 10 s.
	SessionTimeout time.Duration

	// RebalanceTimeout is how long members may take to give up their claims.
	// Defaults to 60 s.
	RebalanceTimeout time.Duration

	// InstanceID makes the membership static: a process that comes back under
	// the same id within the session timeout has its partitions again, and
	// nobody else's change. It must differ between the processes of a group, and
	// such a member does not leave the group when it is closed. Defaults to
	// none.
	InstanceID string

	// LostRange says what to do when records that were still to be read are
	// gone. Defaults to FailOnLostRange.
	LostRange LostRange

	// NackBackoff is the wait before a message that was refused is delivered
	// again, where Batches is off. Defaults to 100 ms.
	NackBackoff time.Duration

	// RejoinBackoff is the wait before joining again after a failure; it
	// doubles up to 30 s while failures follow each other. Defaults to 250 ms.
	RejoinBackoff time.Duration

	// Producer is the configuration of the producer that the outputs of
	// claims go to.
	Producer ProducerConfig

	// Outputs are topics that the outputs of claims go to. They are learned about while
	// the member joins, so the first output to them does not wait for that. Defaults to
	// none: each is learned about when it is written to first.
	Outputs []string

	// Transactions makes the Subscriber work exactly once. It needs Batches.
	// Defaults to nil: at least once.
	Transactions *TransactionsConfig

	// OnCrowded is called, in a Subscriber with transactions, when the first message
	// of a claim that is not settled keeps back the outputs of so many others that
	// half of what may be in flight waits for it. It is called once for each such
	// message, and must be quick. Defaults to nothing.
	OnCrowded func(k *Claim, head Entry)

	// OnJoin is called when the member has been given its claims, by topic,
	// before they are read. Defaults to nothing.
	OnJoin func(claims map[string][]int32)

	// OnAssign is called when the group has said which partitions the member has
	// from now on, also where that changes nothing for it. Defaults to nothing.
	OnAssign func(claims map[string][]int32)

	// OnClaim is called for each claim before any of it is read, and may take
	// long: the member stays in the group meanwhile. Claims are prepared side by
	// side. Its context ends when the claim drains; then it is to return, and what
	// it returns is no failure. Else an error fails the membership. Where it does
	// not return within the drain deadline it is left behind. Defaults to nothing.
	OnClaim func(ctx context.Context, k *Claim) error

	// OnRelease is called when the drain of a claim is over, whatever came of it,
	// and before the last commit of the claim: what it sets by
	// [Claim.SetMetadata] goes with that. It must be quick. Defaults to nothing.
	OnRelease func(k *Claim)

	// OnError is called with the error that ended a membership, before the
	// member joins again. Defaults to nothing.
	OnError func(error)

	// Logger takes what happens to the subscription. Defaults to slog.Default.
	Logger *slog.Logger
}

const (
	maxRejoinBackoff = 30 * time.Second
	maxFetchWait     = 250 * time.Millisecond
)

func (c SubscriberConfig) withDefaults() SubscriberConfig {
	c.Config = c.Config.withDefaults()
	if c.Topics == nil {
		c.Topics = func(name string) []string { return []string{name} }
	}
	if c.Marshaler == nil {
		c.Marshaler = DefaultMarshaler{}
	}
	c.Transactions = c.Transactions.withDefaults()
	setDefault(&c.MaxUnacked, 1)
	setDefault(&c.MaxBatch, 512)
	setDefault(&c.MaxInFlight, 16384)
	setDefault(&c.MaxInFlightBytes, 64<<20)
	setDefault(&c.CommitInterval, 500*time.Millisecond)
	setDefault(&c.DrainTimeout, 30*time.Second)
	setDefault(&c.SessionTimeout, 10*time.Second)
	setDefault(&c.RebalanceTimeout, 60*time.Second)
	setDefault(&c.NackBackoff, 100*time.Millisecond)
	setDefault(&c.RejoinBackoff, 250*time.Millisecond)
	if c.OnJoin == nil {
		c.OnJoin = func(map[string][]int32) {}
	}
	if c.OnError == nil {
		c.OnError = func(error) {}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate reports every mistake of c, which has its defaults.
func (c SubscriberConfig) validate() error {
	errs := []error{c.Config.validate(), c.Producer.validate(), c.LostRange.validate(), c.Transactions.validate(c.Batches)}
	if c.Group == "" {
		errs = append(errs, errors.New("no consumer group"))
	}
	if c.MaxUnacked < 1 || c.MaxBatch < 1 || c.MaxInFlight < 1 || c.MaxInFlightBytes < 1 {
		errs = append(errs, errors.New("a bound is not positive"))
	}
	for name, d := range map[string]time.Duration{
		"CommitInterval": c.CommitInterval, "DrainTimeout": c.DrainTimeout, "SessionTimeout": c.SessionTimeout,
		"NackBackoff": c.NackBackoff, "RejoinBackoff": c.RejoinBackoff,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s is negative", name))
		}
	}
	if c.DrainTimeout >= c.RebalanceTimeout {
		errs = append(errs, fmt.Errorf("DrainTimeout (%v) is not shorter than RebalanceTimeout (%v): a drain would outlive the claim", c.DrainTimeout, c.RebalanceTimeout))
	}
	return errors.Join(errs...)
}

// How often, and after which wait, a member tries to join again before its
// membership has failed: long enough for a coordinator to move.
const (
	rejoinBackoff = 250 * time.Millisecond
	rejoinRetries = 40
)

// heartbeats is how many a member sends in a session timeout, as many as Kafka's
// own consumer does.
const heartbeats = 15

// memberConfig makes the configuration of a group member's connections.
func (c SubscriberConfig) memberConfig() *sarama.Config {
	s := c.sarama()
	s.Consumer.Return.Errors = true
	s.Consumer.Offsets.AutoCommit.Enable = false // the ledger says how far, and we commit ourselves
	s.Consumer.Offsets.Initial = sarama.OffsetOldest
	s.Consumer.Group.ResetInvalidOffsets = false // a lost range is an error, never a silent skip
	s.Consumer.IsolationLevel = sarama.ReadCommitted
	s.Consumer.Group.InstanceId = c.InstanceID
	s.Consumer.Group.Rebalance.Timeout = c.RebalanceTimeout
	s.Consumer.Group.Session.Timeout = c.SessionTimeout
	// The answer to a heartbeat is how a member learns that another one is dead or
	// has come: the longer the interval, the longer partitions stand still.
	s.Consumer.Group.Heartbeat.Interval = c.SessionTimeout / heartbeats
	// A rebalance that begins while another one ends makes sarama wait before it
	// joins again, without a heartbeat: its two seconds could outlast the session.
	s.Consumer.Group.Rebalance.Retry.Backoff = min(rejoinBackoff, c.SessionTimeout/10)
	s.Consumer.Group.Rebalance.Retry.Max = rejoinRetries
	// The answer to a JoinGroup comes when the other members have drained.
	s.Net.ReadTimeout = max(s.Net.ReadTimeout, c.RebalanceTimeout+5*time.Second)
	// A claim that is new to a broker waits for the fetch that is under way there.
	s.Consumer.MaxWaitTime = min(maxFetchWait, c.SessionTimeout/10)
	// sarama's own consumers of the claims have nothing to do.
	s.ChannelBufferSize = 1
	s.Consumer.MaxProcessingTime = c.RebalanceTimeout
	return s
}
