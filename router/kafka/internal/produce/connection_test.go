package produce_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// A connection that is not used goes, and a new one is made when it is needed.
func TestIdleConnectionsGo(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := newProducer(t, c.ListenAddrs(), produce.Config{IdleTimeout: 20 * time.Millisecond})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	for i := range int64(3) {
		require.NoError(t, p.Enqueue(topic, numbers(3*i, 3*i+3)))
		require.NoError(t, p.Flush(within(t)))
		require.Eventually(t, func() bool { return p.Senders() == 0 }, patience, time.Millisecond)
	}
	require.NoError(t, p.Close(within(t)))
	require.Len(t, brokertest.ReadAll(t, c.ListenAddrs(), topic), 9)
}

// A broker that vanishes, and comes back at another address, costs nothing but
// time.
func TestBrokersMoveHouse(t *testing.T) {
	t.Parallel()
	s, arrived := start(t, 5, nil)
	for id := range int32(partitions) {
		require.NoError(t, s.cluster.MoveTopicPartition(topic, id, 1))
	}
	s.stream.goesOn(t, 100)
	require.NoError(t, s.cluster.RemoveNode(1))
	s.stream.goesOn(t, 100)
	_, _, err := s.cluster.AddNode(1, 0)
	require.NoError(t, err)
	for id := range int32(partitions) {
		require.NoError(t, s.cluster.MoveTopicPartition(topic, id, 1))
	}
	s.stream.goesOn(t, 100)
	s.stream.halt()
	require.NoError(t, s.p.Close(within(t)))
	require.Empty(t, s.stream.violations(readLog(t, s.cluster, s.wire, arrived)))
	require.Empty(t, s.stream.errs)
}

// A broker that throttles gets no more requests, and cannot hold up a close.
func TestThrottlingBrokerIsLeftAlone(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	asked := make(chan struct{}, 100)
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		asked <- struct{}{}
		return produceResponse(r, func(resp *kmsg.ProduceResponse, p *kmsg.ProduceResponseTopicPartition) {
			resp.ThrottleMillis = int32(time.Hour.Milliseconds())
			p.ErrorCode = kerr.NotEnoughReplicas.Code
		}), nil, true
	})
	p := newProducer(t, c.ListenAddrs(), produce.Config{})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.NoError(t, p.Enqueue(topic, []client.Output{{}}))
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, p.Close(ctx), context.DeadlineExceeded)
	require.Empty(t, asked)
}

// slowDialer hangs in every dial until it is let go.
type slowDialer struct {
	dials   atomic.Int64
	release chan struct{}
}

func (d *slowDialer) Dial(string, string) (net.Conn, error) {
	d.dials.Add(1)
	<-d.release
	return nil, errors.New("let go")
}

// Neither a dial that hangs nor a connection that is never answered holds up a
// fence.
func TestHangingDialDoesNotHoldUpAFence(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	conf := quick()
	conf.Net.DialTimeout = time.Hour
	d := &slowDialer{release: make(chan struct{})}
	defer close(d.release)
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, d
	results := make(chan client.Result, 1)
	p := newProducer(t, c.ListenAddrs(), produce.Config{Sarama: conf, Done: func(r client.Result) { results <- r }})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.NoError(t, p.Enqueue(topic, []client.Output{{}}))
	require.Eventually(t, func() bool { return d.dials.Load() > 0 }, patience, time.Millisecond)
	p.Fence(nil)
	r := <-results
	require.ErrorIs(t, r.Err, client.ErrFenced)
	require.Error(t, p.Close(within(t)))
}

// TLS and SASL of the template hold for the producer's own connections.
func TestConnectionsAreMadeLikeTheTemplate(t *testing.T) {
	t.Parallel()
	cert, roots := certificate(t)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topic),
		kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}),
		kfake.EnableSASL(), kfake.Superuser("PLAIN", "user", "secret"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	conf := quick()
	conf.Net.TLS.Enable = true
	conf.Net.TLS.Config = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}
	conf.Net.SASL.Enable, conf.Net.SASL.User, conf.Net.SASL.Password = true, "user", "secret"

	results := make(chan client.Result, 1)
	p := newProducer(t, nil, produce.Config{Client: newClient(t, c.ListenAddrs(), conf), Done: func(r client.Result) { results <- r }})
	_, err = p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.NoError(t, p.Enqueue(topic, []client.Output{{}}))
	require.NoError(t, p.Close(within(t)))
	require.Equal(t, client.Stored, (<-results).Fate)
}

// certificate is one for 127.0.0.1, and who to trust for it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// A broker that never answers a TLS handshake is given up after the dial's
// timeout, and tried again.
func TestHandshakesEnd(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	conf := quick()
	conf.Net.DialTimeout = 20 * time.Millisecond
	conf.Net.TLS.Enable, conf.Net.TLS.Config = true, &tls.Config{MinVersion: tls.VersionTLS13}
	k := &mute{kept: &kept{}}
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, k
	p := newProducer(t, c.ListenAddrs(), produce.Config{Sarama: conf})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.NoError(t, p.Enqueue(topic, []client.Output{{}}))
	require.Eventually(t, func() bool {
		k.kept.mu.Lock()
		defer k.kept.mu.Unlock()
		return len(k.kept.conns) >= 3
	}, patience, time.Millisecond)
	p.Fence(nil)
	require.Error(t, p.Close(within(t)))
}

// mute is a dialer to a peer that reads and never says anything.
type mute struct{ kept *kept }

func (m *mute) Dial(string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		_, _ = io.Copy(io.Discard, theirs) // until ours is closed
		_ = theirs.Close()
	}()
	m.kept.mu.Lock()
	defer m.kept.mu.Unlock()
	m.kept.conns = append(m.kept.conns, ours)
	return ours, nil
}
