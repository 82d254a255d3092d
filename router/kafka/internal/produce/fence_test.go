package produce_test

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// Whoever fences returns when the connections are cut, and OnFence is called
// once.
func TestFenceOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	var causes []error
	p := newProducer(t, c.ListenAddrs(), produce.Config{OnFence: func(err error) { causes = append(causes, err) }})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	var calls sync.WaitGroup
	for i := range 8 {
		calls.Go(func() { p.Fence(fmt.Errorf("cause %d", i)) })
	}
	calls.Wait()
	require.ErrorIs(t, p.Enqueue(topic, numbers(0, 1)), client.ErrFenced)
	require.ErrorIs(t, p.Close(within(t)), client.ErrFenced)
	require.Len(t, causes, 1)
}

// kept is a dialer that remembers its connections.
type kept struct {
	mu    sync.Mutex
	conns []net.Conn
}

func (k *kept) Dial(network, addr string) (net.Conn, error) {
	conn, err := net.Dial(network, addr)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conns = append(k.conns, conn)
	return conn, err
}

// When Fence returns, none of the connections takes another byte, and none is
// made any more.
func TestFenceCutsConnections(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	conf, k := quick(), &kept{}
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, k
	p := newProducer(t, c.ListenAddrs(), produce.Config{Sarama: conf})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.NoError(t, p.Enqueue(topic, numbers(0, 9)))
	require.NoError(t, p.Flush(within(t)))
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	require.NoError(t, p.Enqueue(topic, numbers(9, 18)))
	require.NoError(t, h.Wait(within(t), 3))

	p.Fence(errors.New("by hand"))
	k.mu.Lock()
	made := len(k.conns)
	k.mu.Unlock()
	require.Positive(t, made)
	for _, conn := range k.conns[:made] {
		_, err := conn.Write([]byte{0})
		require.ErrorIs(t, err, net.ErrClosed)
	}
	require.Error(t, p.Close(within(t)))
	require.Len(t, k.conns, made)
}

// No fate but Stored is told before OnFence has returned, of no partition: its
// owner must be able to stop what would try the outputs again.
func TestFatesWaitForOnFence(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	told := make(chan client.Result, 100)
	early := make(chan int, 1)
	p := newProducer(t, c.ListenAddrs(), produce.Config{
		Done: func(r client.Result) { told <- r },
		OnFence: func(error) {
			select {
			case <-told:
				early <- 1 + len(told)
			case <-time.After(100 * time.Millisecond): // long enough for a fate that does not wait
				early <- 0
			}
		},
	})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{1, 2}, Err: kerr.NotEnoughReplicas, Count: -1})
	require.NoError(t, p.Enqueue(topic, []client.Output{{Partition: 1}, {Partition: 2}}))
	require.NoError(t, h.Wait(within(t), 1))
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{0}, Err: kerr.MessageTooLarge})
	require.NoError(t, p.Enqueue(topic, []client.Output{{Partition: 0}, {Partition: 1}, {Partition: 2}}))
	require.Zero(t, <-early)
	require.Error(t, p.Close(within(t)))
	require.NotEmpty(t, told)
}

// While Close flushes, nothing more is taken.
func TestCloseRefusesWhileItFlushes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := newProducer(t, c.ListenAddrs(), produce.Config{})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	require.NoError(t, p.Enqueue(topic, numbers(0, 3)))
	closed := make(chan error, 1)
	ctx := within(t)
	go func() { closed <- p.Close(ctx) }()
	require.Eventually(t, func() bool { return errors.Is(p.Enqueue(topic, nil), client.ErrClosed) }, patience, time.Millisecond)
	require.NotErrorIs(t, p.Enqueue(topic, nil), client.ErrFenced, "what was taken before is still being stored")
	h.Remove()
	require.NoError(t, <-closed)
}
