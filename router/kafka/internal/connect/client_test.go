package connect_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// patience bounds every wait of a test; one that works needs a fraction of it.
const patience = 20 * time.Second

// never is a time-out that no test waits for.
const never = time.Hour

func slow() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.V4_0_0_0
	c.Net.ReadTimeout, c.Net.DialTimeout = never, never
	c.Metadata.Timeout = never
	c.Metadata.Retry.Backoff, c.Metadata.Retry.Max = 10*time.Millisecond, 100
	return c
}

// silent is a cluster that knows a topic, and answers no more requests of a kind
// once it is told so. It says when there is one.
func silent(t *testing.T) (c *kfake.Cluster, hush func(kmsg.Key) (asked <-chan struct{})) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	return c, func(key kmsg.Key) <-chan struct{} {
		asked := make(chan struct{}, 1)
		c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
			asked <- struct{}{}
			<-released
			return nil, nil, false
		})
		return asked
	}
}

func connected(t *testing.T, addrs []string) *connect.Client {
	t.Helper()
	conf := slow()
	c, err := connect.NewClient(addrs, conf, connect.NewGate(conf))
	require.NoError(t, err)
	return c
}

func within(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		require.FailNow(t, what)
	}
}

// A look-up that a caller has left behind ends when the client is closed, however
// long it would wait for the broker's answer and try again.
func TestClosingAClientEndsItsLookUps(t *testing.T) {
	t.Parallel()
	for name, look := range map[kmsg.Key]func(*connect.Client) error{
		kmsg.Metadata:        func(c *connect.Client) error { return c.RefreshMetadata("in") },
		kmsg.FindCoordinator: func(c *connect.Client) error { return c.RefreshCoordinator("readers") },
		kmsg.ListOffsets: func(c *connect.Client) error {
			_, err := c.GetOffset("in", 0, sarama.OffsetOldest)
			return err
		},
	} {
		t.Run(name.Name(), func(t *testing.T) {
			t.Parallel()
			cluster, hush := silent(t)
			c := connected(t, cluster.ListenAddrs())
			asked := hush(name)
			ended := make(chan struct{})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-asked
				cancel()
			}()
			_, left, err := connect.Aside(ctx, nil, func() (struct{}, error) {
				defer close(ended)
				return struct{}{}, look(c)
			})
			require.True(t, left)
			require.ErrorIs(t, err, context.Canceled)
			require.NoError(t, c.Close())
			within(t, ended, "the look-up goes on")
		})
	}
}

// idle is a client of sarama's whose look-ups take as long as the test wants.
type idle struct {
	sarama.Client

	release chan struct{}
}

func (i idle) RefreshMetadata(...string) error { <-i.release; return nil }
func (idle) Close() error                      { return nil }

// Close returns when the last call has ended, and after a while also where one
// does not end.
func TestCloseWaitsForCallsAndNotForEver(t *testing.T) {
	t.Parallel()
	for _, ends := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			under := idle{release: make(chan struct{})}
			c := connect.NewIdle(under)
			var calls sync.WaitGroup
			for range 2 {
				calls.Go(func() { _ = c.RefreshMetadata() })
			}
			synctest.Wait()
			begun, closed := time.Now(), make(chan struct{})
			go func() {
				defer close(closed)
				_ = c.Close()
			}()
			for range 2 {
				synctest.Wait()
				select {
				case <-closed:
					require.FailNow(t, "a call is still running")
				default:
				}
				if ends {
					under.release <- struct{}{}
				}
			}
			<-closed
			if ends {
				require.Zero(t, time.Since(begun))
			} else {
				require.Equal(t, connect.EndPatience, time.Since(begun))
				close(under.release)
			}
			calls.Wait()
		})
	}
}

// A client is not made through a gate that is shut, whatever its time-outs say.
func TestAShutGateEndsTheMakingOfAClient(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // takes connections, and says nothing
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	conf := slow()
	gate := connect.NewGate(conf)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := connect.NewClient([]string{l.Addr().String()}, conf, gate)
		if err == nil {
			panic("nobody has answered")
		}
	}()
	conn, err := l.Accept()
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	gate.Shut()
	within(t, ended, "the making goes on")
}

func TestAside(t *testing.T) {
	t.Parallel()
	wrong := errors.New("wrong")
	v, left, err := connect.Aside(t.Context(), nil, func() (int, error) { return 3, wrong })
	require.Equal(t, 3, v)
	require.False(t, left)
	require.ErrorIs(t, err, wrong)

	cut, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	close(cut)
	_, left, err = connect.Aside(t.Context(), cut, func() (int, error) { <-release; return 0, nil })
	require.True(t, left)
	require.ErrorIs(t, err, connect.ErrCut)
}
