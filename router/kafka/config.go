package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/produce"
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
	// for mutual TLS. Its own defaults hold: without RootCAs the system's
	// authorities are trusted, and without ServerName a broker's certificate
	// has to be for the host that it is reached by; MinVersion defaults to 1.2.
	// Defaults to nil: no TLS.
	TLS *tls.Config

	// SASL is how to authenticate. Defaults to not at all.
	SASL SASL

	// Rack says where this program runs, as the brokers' broker.rack does. A
	// Subscriber then reads from the replica in the same rack, where the brokers
	// have a replica.selector.class that looks at it. All else goes to the
	// leaders: what is produced, ReadTopic, offsets. Defaults to none: all is
	// read from the leaders too.
	Rack string

	// DialTimeout bounds the making of a connection, and the wait for a token.
	// Defaults to 10 s.
	DialTimeout time.Duration

	// RequestTimeout bounds the wait for an answer. Defaults to 30 s.
	RequestTimeout time.Duration

	dialer dialer // nil: the network's. Tests have connections fail with it
}

// dialer makes connections.
type dialer interface {
	Dial(network, addr string) (net.Conn, error)
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
	if c.SASL.Token != nil && c.SASL.tokens == nil {
		c.SASL.tokens = &tokenSource{ask: c.SASL.Token, timeout: c.DialTimeout}
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
	s.RackID = c.Rack
	s.Net.DialTimeout = c.DialTimeout
	s.Net.ReadTimeout = c.RequestTimeout
	s.Net.WriteTimeout = c.RequestTimeout
	s.Net.KeepAlive = 30 * time.Second
	s.Admin.Timeout = c.RequestTimeout
	s.Metadata.AllowAutoTopicCreation = false // a name that is misspelt is an error, not a topic
	s.Metadata.RefreshFrequency = produce.TopicMaxAge
	s.Metadata.Timeout = c.RequestTimeout // no further retry of a look-up after it
	if c.dialer != nil {
		s.Net.Proxy.Enable, s.Net.Proxy.Dialer = true, c.dialer
	}
	if c.TLS != nil {
		s.Net.TLS.Enable, s.Net.TLS.Config = true, c.TLS.Clone()
		if s.Net.TLS.Config.MinVersion == 0 {
			s.Net.TLS.Config.MinVersion = tls.VersionTLS12
		}
	}
	c.SASL.apply(s)
	return s
}
