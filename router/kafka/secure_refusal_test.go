//go:build kafka

package kafka_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/kafkatest"
	"github.com/penstock/penstock/router/kafka"
)

// refusal is a configuration that the secure Kafka refuses, and what is to be
// said of it.
type refusal struct {
	cfg  kafka.Config
	says []string
}

func refusals(t testing.TB, s *kafkatest.Secure) map[string]refusal {
	t.Helper()
	stranger, _ := selfSigned(t)
	of := func(way string, change func(*kafka.Config), says ...string) refusal {
		cfg := waysIn(s)[way]
		cfg.TLS = cfg.TLS.Clone()
		change(&cfg)
		return refusal{cfg, append(says, cfg.Brokers[0])}
	}
	wrong := func(c *kafka.Config) { c.SASL.Password = "wrong-" + s.Password }
	token := func(source func() (string, error)) func(*kafka.Config) {
		return func(c *kafka.Config) { c.SASL.Token = source }
	}
	const credentials = "the broker refuses the credentials: check the SASL mechanism, the user and the password, or the token"
	const hungUp = "check whether this port wants TLS or SASL, or does not know them"
	const certificate = "the broker wants a client certificate that it trusts"
	return map[string]refusal{
		"wrong password of PLAIN":         of("PLAIN", wrong, credentials),
		"wrong password of SCRAM-SHA-256": of("SCRAM-SHA-256", wrong, credentials),
		"wrong password of SCRAM-SHA-512": of("SCRAM-SHA-512", wrong, credentials),
		"unknown user":                    of("SCRAM-SHA-512", func(c *kafka.Config) { c.SASL.User = "nobody" }, credentials),
		"expired token": of("OAUTHBEARER", token(func() (string, error) {
			return s.Token(s.User, time.Now().Add(-time.Minute)), nil
		}), credentials),
		"no token": of("OAUTHBEARER", token(func() (string, error) { return "", nil }), "the token is empty"),
		"failing token source": of("OAUTHBEARER", token(func() (string, error) {
			return "", errors.New("the issuer is closed on Sundays")
		}), "the issuer is closed on Sundays"),
		"no client certificate":       of("mTLS", func(c *kafka.Config) { c.TLS.Certificates = nil }, certificate),
		"unknown client certificate":  of("mTLS", func(c *kafka.Config) { c.TLS.Certificates = []tls.Certificate{stranger} }, certificate),
		"unknown authority":           of("PLAIN", func(c *kafka.Config) { c.TLS.RootCAs = x509.NewCertPool() }, "trust the authority that signed the broker's certificate"),
		"authorities of the system":   of("PLAIN", func(c *kafka.Config) { c.TLS.RootCAs = nil }, "trust the authority that signed the broker's certificate"),
		"wrong host name":             of("PLAIN", func(c *kafka.Config) { c.TLS.ServerName = "elsewhere.example" }, "elsewhere.example", "connect by a name that the broker's certificate is for"),
		"no TLS":                      of("PLAIN", func(c *kafka.Config) { c.TLS = nil }, hungUp),
		"no SASL":                     of("PLAIN", func(c *kafka.Config) { c.SASL = kafka.SASL{} }, hungUp),
		"TLS to who does not know it": of("PLAIN", func(c *kafka.Config) { c.Brokers = s.Brokers }, hungUp),
	}
}

// Whatever connects says in one error where to, what is wrong and what to do,
// soon, and never the secret.
func TestSecureRefusals(t *testing.T) {
	t.Parallel()
	s := kafkatest.SecureKafka(t)
	topic := s.Topic(t, 1)
	for name, r := range refusals(t, s) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require := require.New(t)
			log := &syncBuffer{}
			logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))

			errs := sideBySide(map[string]func() error{
				"admin": func() error {
					_, err := kafka.NewAdmin(within(t), r.cfg)
					return err
				},
				"reader": func() error {
					return kafka.ReadTopic(within(t), r.cfg, topic, func(*kafka.Record) error { return nil })
				},
				"publisher": func() error {
					p, err := kafka.NewPublisher(kafka.PublisherConfig{Config: r.cfg, Logger: logger})
					if err != nil {
						return err
					}
					return errors.Join(p.Publish(topic, message.NewMessage("id", nil)), p.Close())
				},
				"subscriber": func() error { return firstFailure(t, r.cfg, topic, logger) },
			})
			for what, err := range errs {
				for _, says := range r.says {
					require.ErrorContains(err, says, what)
				}
				require.NotContains(err.Error(), s.Password, what)
			}
			require.Contains(log.String(), r.says[0])
			require.NotContains(log.String(), s.Password)
		})
	}
}

// firstFailure is what ends the first membership of a Subscriber.
func firstFailure(t testing.TB, conn kafka.Config, topic string, log *slog.Logger) error {
	t.Helper()
	told := make(chan error, 1)
	cfg := quick(nil)
	cfg.Config, cfg.Group, cfg.Logger = conn, topic, log
	cfg.OnError = func(err error) {
		select {
		case told <- err:
		default:
		}
	}
	m := join(t, cfg, copied(1))
	defer m.leave()
	select {
	case err := <-told:
		return err
	case <-time.After(patience):
		return errors.New("the subscriber says nothing")
	}
}

// sideBySide calls functions at the same time and returns their errors.
func sideBySide(calls map[string]func() error) map[string]error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	errs := map[string]error{}
	for name, call := range calls {
		wg.Go(func() {
			err := call()
			mu.Lock()
			defer mu.Unlock()
			errs[name] = err
		})
	}
	wg.Wait()
	return errs
}

// Who is connected and then refused hears of it too: a token that is not taken
// any more when the connection has to present one again.
func TestSecureTokenThatExpiresMeanwhile(t *testing.T) {
	s := kafkatest.SecureKafka(t)
	cfg := byToken(s, s.User)
	expires := make(chan time.Time, 1)
	expires <- time.Now().Add(time.Hour)
	cfg.SASL.Token = func() (string, error) {
		at := <-expires
		expires <- at
		return s.Token(s.User, at), nil
	}
	f := newSecureFlow(t, s, cfg, slog.New(slog.DiscardHandler))
	f.publish(t, 10)
	f.arrives(t)

	<-expires
	expires <- time.Now().Add(-time.Minute)
	until(t, func() bool { return len(f.member.failures()) > 0 }, "the member does not notice")
	require.ErrorContains(t, f.member.failures()[0], "SASL Authentication failed")

	<-expires
	expires <- time.Now().Add(time.Hour)
	f.publish(t, 10)
	f.arrives(t)
}

// What answers nothing is given up: with TLS, where the handshake is waited for,
// and where the user's source of tokens is.
func TestSecureSilenceIsBounded(t *testing.T) {
	s := kafkatest.SecureKafka(t)
	silent := deafBroker(t, func() {})
	_, err := kafka.NewAdmin(within(t), kafka.Config{Brokers: []string{silent}, TLS: secureTLS(s), RequestTimeout: 100 * time.Millisecond})
	require.ErrorContains(t, err, silent)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
	require.NoError(t, within(t).Err(), "it was not the test that gave up")

	cfg := byToken(s, s.User)
	hang := make(chan struct{})
	defer close(hang)
	cfg.SASL.Token = func() (string, error) {
		<-hang
		return "", nil
	}
	cfg.DialTimeout = 200 * time.Millisecond
	_, err = kafka.NewAdmin(within(t), cfg)
	require.ErrorContains(t, err, "get a token for SASL OAUTHBEARER: its source has not answered within 200ms")
	require.ErrorContains(t, err, s.SASL[0])
}
