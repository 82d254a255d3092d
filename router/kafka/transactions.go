package kafka

import (
	"errors"
	"time"
)

// TransactionsConfig makes a Subscriber work exactly once: what a claim's messages
// led to, the outputs of its Outboxes and what it sends, is in one Kafka transaction
// with how far the claim is. Readers of committed records see both or neither.
//
// Each partition number has a transactional producer of its own, with the id
// "<group>-<number>"; the claims of that number, one a topic, share it. Outputs are
// sent in the order of the messages they came of, so those of messages that are done
// wait in memory for the messages before them.
type TransactionsConfig struct {
	// CommitInterval is how long a transaction is kept open. Defaults to 100 ms.
	CommitInterval time.Duration

	// CommitMessages is how many messages of a partition number a transaction has
	// at most, and never more than half of SubscriberConfig.MaxInFlight: the others
	// are worked on while it ends. Defaults to 10,000.
	CommitMessages int

	// Timeout is when the broker gives up a transaction whose process is gone, if
	// no other process takes its partitions over before: as long it hides what
	// comes behind it. It must be longer than CommitInterval. Defaults to 10 s.
	Timeout time.Duration
}

func (c *TransactionsConfig) withDefaults() *TransactionsConfig {
	if c == nil {
		return nil
	}
	d := *c
	setDefault(&d.CommitInterval, 100*time.Millisecond)
	setDefault(&d.CommitMessages, 10_000)
	setDefault(&d.Timeout, 10*time.Second)
	return &d
}

// validate reports every mistake of c, which has its defaults.
func (c *TransactionsConfig) validate(batches bool) error {
	if c == nil {
		return nil
	}
	var errs []error
	if !batches {
		errs = append(errs, errors.New("Transactions need Batches: a message alone does not say which outputs are its own")) //nolint:staticcheck // names of fields
	}
	if c.CommitInterval < 0 || c.CommitMessages < 0 || c.Timeout < 0 {
		errs = append(errs, errors.New("a bound of Transactions is negative"))
	}
	if c.Timeout <= c.CommitInterval {
		errs = append(errs, errors.New("the Timeout of Transactions is not longer than their CommitInterval"))
	}
	return errors.Join(errs...)
}

// maxTransactionBytes is how many bytes of outputs a transaction has at most, about.
const maxTransactionBytes = 8 << 20
