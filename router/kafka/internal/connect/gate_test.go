package connect_test

import (
	"errors"
	"net"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// Shut, a gate has closed all that it made, and makes nothing more.
func TestAGateCutsAndRefuses(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	addr := cluster.ListenAddrs()[0]
	conf := sarama.NewConfig()
	gate := connect.NewGate(conf)
	plain, err := gate.Dial("tcp", addr)
	require.NoError(t, err)
	ready, err := gate.Open(conf, addr)
	require.NoError(t, err)
	_, err = ready.Write(nil)
	require.NoError(t, err)
	gate.Shut()
	for _, conn := range []net.Conn{plain, ready} {
		_, err = conn.Write([]byte{0})
		require.ErrorIs(t, err, net.ErrClosed)
	}
	_, err = gate.Dial("tcp", addr)
	require.Error(t, err)
	_, err = gate.Open(conf, addr)
	require.ErrorIs(t, err, connect.ErrCut)
}

// The socket is found behind any number of gates, and not behind what changes the
// bytes on their way.
func TestTheSocketBehindGates(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	outer := sarama.NewConfig()
	outer.Net.Proxy.Enable, outer.Net.Proxy.Dialer = true, connect.NewGate(sarama.NewConfig())
	conn, err := connect.NewGate(outer).Open(outer, cluster.ListenAddrs()[0])
	require.NoError(t, err)
	require.NotNil(t, conn.TCP())
	require.NoError(t, conn.Close())

	wrapped := sarama.NewConfig()
	wrapped.Net.Proxy.Enable, wrapped.Net.Proxy.Dialer = true, wrapping{}
	conn, err = connect.NewGate(wrapped).Open(wrapped, cluster.ListenAddrs()[0])
	require.NoError(t, err)
	require.Nil(t, conn.TCP())
	require.NoError(t, conn.Close())
}

type wrapping struct{}

func (wrapping) Dial(network, addr string) (net.Conn, error) {
	conn, err := net.Dial(network, addr)
	return struct{ net.Conn }{conn}, err
}

// hanging never comes back from a dial until it is let go.
type hanging struct{ begun, release chan struct{} }

func (h hanging) Dial(string, string) (net.Conn, error) {
	close(h.begun)
	<-h.release
	return nil, errors.New("let go")
}

// A dial that knows no context does not hold up who waits for it.
func TestShuttingEndsADial(t *testing.T) {
	t.Parallel()
	h := hanging{make(chan struct{}), make(chan struct{})}
	defer close(h.release)
	conf := slow()
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, h
	gate := connect.NewGate(conf)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = gate.Open(conf, "127.0.0.1:1")
	}()
	<-h.begun
	gate.Shut()
	within(t, ended, "the dial goes on")
}
