package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/IBM/sarama"
)

// Config says how to reach a cluster. It is shared by everything that talks
// to Kafka.
type Config struct {
	// Brokers are the addresses to begin with, host:port. Required.
	Brokers []string

	// ClientID names this program in the broker's logs and quotas. Defaults to
	// "penstock".
	ClientID string

	// TLS is the configuration of the connections, with client certificates
	// for mutual TLS. Defaults to nil: no TLS.
	TLS *tls.Config

	// SASL is how to authenticate. Defaults to not at all.
	SASL SASL

	// DialTimeout bounds the making of a connection. Defaults to 10 s.
	DialTimeout time.Duration

	// RequestTimeout bounds the wait for an answer. Defaults to 30 s.
	RequestTimeout time.Duration
}

func (c Config) withDefaults() Config {
	if c.ClientID == "" {
		c.ClientID = "penstock"
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = 10 * time.Second
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 30 * time.Second
	}
	return c
}

// validate reports every mistake.
func (c Config) validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("no brokers: name at least one as host:port"))
	}
	for _, b := range c.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			errs = append(errs, fmt.Errorf("broker %q is not host:port", b))
		}
	}
	if c.DialTimeout < 0 || c.RequestTimeout < 0 {
		errs = append(errs, errors.New("a time-out is negative"))
	}
	if err := c.SASL.validate(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// protocol is the version of Kafka's protocol that is spoken at the most; the
// broker's answer to ApiVersions lowers it a request. It is set explicitly:
// the old ones that some clients default to are refused by Kafka 4.
var protocol = sarama.V4_0_0_0

// sarama makes sarama's configuration of c, which must be valid.
func (c Config) sarama() *sarama.Config {
	c = c.withDefaults()
	s := sarama.NewConfig()
	s.Version = protocol
	s.ClientID = c.ClientID
	s.Net.DialTimeout = c.DialTimeout
	s.Net.ReadTimeout = c.RequestTimeout
	s.Net.WriteTimeout = c.RequestTimeout
	s.Net.KeepAlive = 30 * time.Second
	s.Admin.Timeout = c.RequestTimeout
	s.Metadata.AllowAutoTopicCreation = false // a name that is misspelt is an error, not a topic
	s.Metadata.RefreshFrequency = topicMaxAge
	if c.TLS != nil {
		s.Net.TLS.Enable, s.Net.TLS.Config = true, c.TLS.Clone()
	}
	c.SASL.apply(s)
	return s
}
