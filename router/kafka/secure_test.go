//go:build kafka

package kafka_test

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/kafkatest"
	"github.com/penstock/penstock/router/kafka"
)

// secureTLS trusts the secure Kafka.
func secureTLS(s *kafkatest.Secure) *tls.Config { return &tls.Config{RootCAs: s.CA} }

// byToken authenticates a user of any name.
func byToken(s *kafkatest.Secure, user string) kafka.Config {
	return kafka.Config{Brokers: s.SASL, TLS: secureTLS(s), SASL: kafka.SASL{
		Mechanism: kafka.OAuthBearer,
		Token:     func() (string, error) { return s.Token(user, time.Now().Add(time.Hour)), nil },
	}}
}

// waysIn are all ways to authenticate, each as one who has all rights.
func waysIn(s *kafkatest.Secure) map[string]kafka.Config {
	ways := map[string]kafka.Config{
		"mTLS":                    {Brokers: s.TLS, TLS: &tls.Config{RootCAs: s.CA, Certificates: []tls.Certificate{s.Certificate}}},
		string(kafka.OAuthBearer): byToken(s, s.User),
	}
	for _, m := range []kafka.Mechanism{kafka.Plain, kafka.ScramSHA256, kafka.ScramSHA512} {
		ways[string(m)] = kafka.Config{Brokers: s.SASL, TLS: secureTLS(s), SASL: kafka.SASL{Mechanism: m, User: s.User, Password: s.Password}}
	}
	return ways
}

// secureFlow is everything of this package that connects, at work between two
// topics.
type secureFlow struct {
	cfg       kafka.Config
	in, out   string
	group     string
	publisher *kafka.Publisher
	member    *member
	published int
}

func newSecureFlow(t testing.TB, s *kafkatest.Secure, cfg kafka.Config, log *slog.Logger) *secureFlow {
	t.Helper()
	f := &secureFlow{cfg: cfg, in: s.Topic(t, 2), out: s.Topic(t, 2)}
	f.group = f.in
	pcfg := publisherTo(nil)
	pcfg.Config = cfg
	f.publisher = newPublisher(t, pcfg)
	scfg := quick(nil)
	scfg.Config, scfg.Group, scfg.Logger = cfg, f.group, log
	scfg.Topics = func(string) []string { return []string{f.in} }
	f.member = join(t, scfg, func(b *kafka.Batch, out *kafka.Outbox) error {
		for i := range b.Records {
			if err := out.Add(b.Entry(i), &kafka.Output{Topic: f.out, Key: b.Records[i].Key, Value: b.Records[i].Value}); err != nil {
				return err
			}
			out.Settle(b.Entry(i))
		}
		return out.Flush()
	})
	return f
}

// publish publishes n messages of which each value is its own.
func (f *secureFlow) publish(t testing.TB, n int) {
	t.Helper()
	outs := make([]kafka.Output, n)
	for i := range outs {
		outs[i] = kafka.Output{Topic: f.in, Key: fmt.Append(nil, f.published%7), Value: fmt.Append(nil, f.published)}
		f.published++
	}
	require.NoError(t, f.publisher.Send(within(t), outs...))
}

// arrives waits until each message has come out and is committed, and returns
// how often messages came out beyond the first time.
func (f *secureFlow) arrives(t testing.TB) (repeats int) {
	t.Helper()
	admin, err := kafka.NewAdmin(within(t), f.cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	until(t, func() bool {
		lags, err := admin.Lag(within(t), f.group, f.in)
		require.NoError(t, err)
		behind := int64(0)
		for _, l := range lags {
			behind += l.Behind()
		}
		return behind == 0
	}, "not all is committed")
	seen, total := map[string]bool{}, 0
	require.NoError(t, kafka.ReadTopic(within(t), f.cfg, f.out, func(r *kafka.Record) error {
		seen[string(r.Value)] = true
		total++
		return nil
	}))
	require.Len(t, seen, f.published, "messages that came out")
	return total - len(seen)
}

// Each connects, and again when the broker was away: what publishes, the
// group's member, and the producer of its outputs, which has connections of its
// own.
func TestSecureEveryWayIn(t *testing.T) {
	s := kafkatest.SecureKafka(t)
	flows := map[string]*secureFlow{}
	for name, cfg := range waysIn(s) {
		flows[name] = newSecureFlow(t, s, cfg, slog.New(slog.DiscardHandler))
		flows[name].publish(t, 100)
	}
	for name, f := range flows {
		require.Zero(t, f.arrives(t), name)
		require.Empty(t, f.member.failures(), name)
	}

	command := s.RestartCommand(t)
	output, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	require.NoError(t, err, "%s", output)
	for _, f := range flows {
		f.publish(t, 100)
	}
	for _, f := range flows {
		f.arrives(t)
	}
}

// The broker grants a connection by token four seconds: it is asked for a new
// one while it is in use, and nobody notices.
func TestSecureTokensAreRenewedOnAConnection(t *testing.T) {
	s := kafkatest.SecureKafka(t)
	cfg := byToken(s, s.User)
	var asked atomic.Int32
	token := cfg.SASL.Token
	cfg.SASL.Token = func() (string, error) {
		asked.Add(1)
		return token()
	}
	f := newSecureFlow(t, s, cfg, slog.New(slog.DiscardHandler))
	f.publish(t, 1)
	f.arrives(t)
	before := asked.Load()
	begun := time.Now()
	until(t, func() bool {
		f.publish(t, 10)
		return time.Since(begun) > 9*time.Second // two sessions of the broker's and a bit
	}, "publishing")
	require.Greater(t, asked.Load(), before+4)
	require.Zero(t, f.arrives(t))
	require.Empty(t, f.member.failures())
}
