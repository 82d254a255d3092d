package kafka

import (
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// UnwritableError says that a topic does not exist, cannot exist, or may not be
// written to.
type UnwritableError struct {
	Topic string
	Err   error // what the brokers said
}

// Error names the topic and the reason.
func (e *UnwritableError) Error() string {
	return fmt.Sprintf("topic %s cannot be written to: %v", e.Topic, e.Err)
}

// Unwrap returns what the brokers said.
func (e *UnwritableError) Unwrap() error { return e.Err }

// lookedUp is the error of looking a topic up.
func lookedUp(topic string, err error) error {
	for _, final := range []error{sarama.ErrUnknownTopicOrPartition, sarama.ErrInvalidTopic, sarama.ErrTopicAuthorizationFailed} {
		if errors.Is(err, final) {
			return &UnwritableError{Topic: topic, Err: err}
		}
	}
	return fmt.Errorf("look up topic %s: %w", topic, err)
}
