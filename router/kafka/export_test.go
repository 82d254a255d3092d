package kafka

import (
	"context"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// ForgetOutputs breaks a rule on purpose: what is settled counts as done at
// the next flush, before its outputs are stored.
func (o *Outbox) ForgetOutputs() {
	for i := range o.done {
		o.done[i].outputs = 0
	}
}

// LooseClaim returns a claim without a group behind it, whose outputs go to
// the producer that producer makes of the function that takes fates.
func LooseClaim(producer func(done func(client.Result)) client.Producer) *Claim {
	cfg := SubscriberConfig{}.withDefaults()
	sub := newSubscription(&cfg, nil)
	sess := newSession(sub, idleSession{}, producer(sub.told), nil)
	return newClaim(sess, idleClaim{}, [16]byte{})
}

// Hand makes entries for records, as the claim does with what it reads.
func (k *Claim) Hand(records []Record) *Batch {
	return &Batch{Claim: k, Records: records, first: k.ledger.openAll(records)}
}

// Watermark is what the claim would commit.
func (k *Claim) Watermark() int64 {
	w, _ := k.ledger.watermark()
	return w
}

// Release ends a loose claim as one that has drained.
func (k *Claim) Release(ctx context.Context) error { return k.sess.release(ctx, k) }

// InFlight is what the claim has in flight, in bytes.
func (k *Claim) InFlight() int64 {
	k.ledger.mu.Lock()
	defer k.ledger.mu.Unlock()
	return k.ledger.bytes + k.ledger.lent
}

// End lets go of a loose claim.
func (k *Claim) End() { k.cancel(ErrClaimLost) }

type idleSession struct{ client.Session }

func (idleSession) Context() context.Context { return context.Background() }

type idleClaim struct{ client.Claim }

func (idleClaim) Topic() string    { return "in" }
func (idleClaim) Partition() int32 { return 0 }

// Revoked never is.
func (idleClaim) Revoked() <-chan struct{} { return nil }

// Member is the configuration of a member's connections.
func (c SubscriberConfig) Member() *sarama.Config { return c.withDefaults().memberConfig() }

// DialThrough has all connections made by d.
func (c Config) DialThrough(d dialer) Config {
	c.dialer = d
	return c
}

// Generation is what a commit of the claim is made with.
func (k *Claim) Generation() int32 { return k.c.Generation() }

// Rejoining tells that the group hands out its partitions anew.
func (k *Claim) Rejoining() bool { return k.sess.s.Rejoining() }
