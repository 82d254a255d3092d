package produce

import (
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// verdict is what an answer to a batch means.
type verdict struct {
	stored bool // it is in the log
	retry  bool // the same bytes may be taken later
	sure   bool // not stored by this attempt, for certain
}

var (
	stored       = verdict{stored: true, sure: true}
	retry        = verdict{retry: true, sure: true}
	retryUnsure  = verdict{retry: true}
	refused      = verdict{sure: true}
	fatalUnsure  = verdict{}
	verdictOfErr = map[sarama.KError]verdict{
		sarama.ErrNoError: stored,
		// Only one batch is in flight, so it is this one that the log has.
		sarama.ErrDuplicateSequenceNumber: stored,

		// The leader is elsewhere, or between two. The first two may also be
		// the answer of a leader that appended the batch and lost the
		// partition while it waited for its followers.
		sarama.ErrNotLeaderForPartition:     retryUnsure,
		sarama.ErrUnknownTopicOrPartition:   retryUnsure,
		sarama.ErrLeaderNotAvailable:        retry,
		sarama.ErrBrokerNotAvailable:        retry,
		sarama.ErrReplicaNotAvailable:       retry,
		sarama.ErrFencedLeaderEpoch:         retry,
		sarama.ErrUnknownLeaderEpoch:        retry,
		sarama.ErrNotEnoughReplicas:         retry, // looked at before it appends
		sarama.ErrThrottlingQuotaExceeded:   retry,
		sarama.ErrConcurrentTransactions:    retry, // the one before is still being ended
		sarama.ErrOffsetsLoadInProgress:     retry, // of the coordinator that the leader asks
		sarama.ErrNotCoordinatorForConsumer: retry,
		// The checksum was wrong: damaged on the wire. If it is damaged for
		// good, the deadline ends it.
		sarama.ErrInvalidMessage: retry,
		// Appended here, not known to be anywhere else.
		sarama.ErrRequestTimedOut:              retryUnsure,
		sarama.ErrNotEnoughReplicasAfterAppend: retryUnsure,
		sarama.ErrNetworkException:             retryUnsure,
		// The leader's disk failed in the middle; another broker takes over.
		sarama.ErrKafkaStorageError: retryUnsure,

		// The batch itself is at fault, or we may not write it.
		sarama.ErrMessageSizeTooLarge:                refused,
		sarama.ErrMessageSetSizeTooLarge:             refused,
		sarama.ErrInvalidRecord:                      refused,
		sarama.ErrInvalidTimestamp:                   refused,
		sarama.ErrPolicyViolation:                    refused,
		sarama.ErrUnsupportedForMessageFormat:        refused,
		sarama.ErrUnsupportedCompressionType:         refused,
		sarama.ErrInvalidTopic:                       refused,
		sarama.ErrInvalidRequiredAcks:                refused,
		sarama.ErrTopicAuthorizationFailed:           refused,
		sarama.ErrClusterAuthorizationFailed:         refused,
		sarama.ErrTransactionalIDAuthorizationFailed: refused,

		// Another producer has our transactional id, or the transaction is
		// over: what we have to say does not count any more.
		sarama.ErrInvalidProducerEpoch:     refused,
		sarama.ErrProducerFenced:           refused,
		sarama.ErrInvalidTxnState:          refused,
		sarama.ErrInvalidProducerIDMapping: refused,
		// The broker lost what it knew of our sequence: stored batches are
		// gone from its log, by retention or with a leader that was behind.
		// Going on would take a new epoch, and with it the knowledge of what
		// is a repeat.
		sarama.ErrOutOfOrderSequenceNumber: refused,
		sarama.ErrUnknownProducerID:        refused,
	}
)

// judge tells what an answer means. A code that is not known ends the
// producer, and leaves the fate open.
func judge(code sarama.KError) verdict {
	if v, ok := verdictOfErr[code]; ok {
		return v
	}
	return fatalUnsure
}

// brokerError is a broker's code with what it says beside it.
func brokerError(code sarama.KError, message string) error {
	if message == "" {
		return code
	}
	return fmt.Errorf("%w: %s", code, message)
}

// answerError is what the broker says of a batch that it did not store.
func answerError(a answer) error {
	err := brokerError(a.code, a.message)
	if len(a.culprits) == 0 {
		return err
	}
	culprits := make([]int, len(a.culprits))
	for i, c := range a.culprits {
		culprits[i] = c.index
		if c.message != "" {
			err = fmt.Errorf("%w; record %d: %s", err, c.index, c.message)
		}
	}
	return &client.RefusedError{Outputs: culprits, Err: err}
}

// hopeless reports whether a look-up fails the same way however often it is
// tried: its client is closed.
func hopeless(err error) bool { return errors.Is(err, sarama.ErrClosedClient) }
