package kafka_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What is lost when a connection is cut.
type lost int

const (
	lostRequest lost = iota // the broker never gets it
	lostAnswer              // the broker has done it, and nobody is told
	lateRequest             // the broker gets it in the middle of the next transaction
)

// cutter passes connections on to brokers, and cuts those on which requests of some
// kind are sent. It is a dialer.
type cutter struct {
	dial net.Dialer

	mu    sync.Mutex
	conns map[net.Conn]bool
	key   kmsg.Key
	what  lost
	left  int // cuts to come
	done  int // cuts that were made
	late  []late
	ended sync.WaitGroup
}

// newCutter returns one that ends with the test.
func newCutter(t testing.TB) *cutter {
	t.Helper()
	c := &cutter{dial: net.Dialer{Timeout: patience}, conns: map[net.Conn]bool{}}
	t.Cleanup(func() {
		c.mu.Lock()
		for conn := range c.conns {
			_ = conn.Close()
		}
		c.mu.Unlock()
		c.ended.Wait()
	})
	return c
}

// cut has the next n requests of a kind, or their answers, be lost.
func (c *cutter) cut(key kmsg.Key, what lost, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.key, c.what, c.left, c.done = key, what, n, 0
}

// cuts is how many were made since.
func (c *cutter) cuts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

// held is how many requests are still to come late.
func (c *cutter) held() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.late)
}

// cutsNow tells whether a request of a kind is to be lost, and what of it.
func (c *cutter) cutsNow(key int16) (bool, lost) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 || key != c.key.Int16() {
		return false, 0
	}
	c.left--
	c.done++
	return true, c.what
}

// Dial connects to a broker, through two goroutines that pass on what is said.
func (c *cutter) Dial(network, addr string) (net.Conn, error) {
	broker, err := c.dial.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	c.mu.Lock()
	c.conns[broker], c.conns[theirs] = true, true
	c.mu.Unlock()
	unanswered := make(chan uint32, 100) // the answers that are to be lost
	end := func() {
		_, _ = broker.Close(), theirs.Close()
		c.mu.Lock()
		delete(c.conns, broker)
		delete(c.conns, theirs)
		c.mu.Unlock()
	}
	c.ended.Go(func() {
		defer end()
		eachFrame(theirs, func(frame []byte) bool {
			c.deliverBefore(frame)
			cut, what := c.cutsNow(int16(binary.BigEndian.Uint16(frame[4:])))
			switch {
			case cut && what == lateRequest:
				c.hold(addr, frame)
				return false
			case cut && what == lostRequest:
				return false
			case cut:
				unanswered <- binary.BigEndian.Uint32(frame[8:])
			}
			_, err := broker.Write(frame)
			return err == nil
		})
	})
	c.ended.Go(func() {
		defer end()
		var missing []uint32
		eachFrame(broker, func(frame []byte) bool {
			select {
			case id := <-unanswered:
				missing = append(missing, id)
			default:
			}
			if len(missing) > 0 && missing[0] == binary.BigEndian.Uint32(frame[4:]) {
				return false
			}
			_, err := theirs.Write(frame)
			return err == nil
		})
	})
	return ours, nil
}

// eachFrame calls f with what comes, size and all, until it returns false or no more
// comes.
func eachFrame(r io.Reader, f func(frame []byte) bool) {
	for {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return
		}
		frame := make([]byte, 4+binary.BigEndian.Uint32(size[:]))
		copy(frame, size[:])
		if _, err := io.ReadFull(r, frame[4:]); err != nil || len(frame) < 12 || !f(frame) {
			return
		}
	}
}

// cutting are the requests of transactions, and what of each can be lost.
func cutting(f func(name string, key kmsg.Key, what lost)) {
	for _, key := range []kmsg.Key{kmsg.AddPartitionsToTxn, kmsg.Produce, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.InitProducerID} {
		f(key.Name()+" lost", key, lostRequest)
		f(key.Name()+" done, its answer lost", key, lostAnswer)
		if key != kmsg.InitProducerID {
			f(key.Name()+" late", key, lateRequest)
		}
	}
}

// However connections are cut, a transaction happens once.
func TestTransactionsHappenOnceThoughConnectionsAreCut(t *testing.T) {
	t.Parallel()
	cutting(func(name string, key kmsg.Key, what lost) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFlow(t)
			c := newCutter(t)
			cfg := exactly(b.Addrs())
			cfg.Config = cfg.DialThrough(c)
			if key == kmsg.InitProducerID {
				c.cut(key, what, 2)
			}
			m := join(t, cfg, copied(20))
			feed(t, b.Addrs(), 20, 20)
			for n := range 3 {
				if key != kmsg.InitProducerID {
					c.cut(key, what, n+1)
				}
				feed(t, b.Addrs(), 20, 20)
				until(t, func() bool { return c.cuts() > 0 }, "nothing is cut")
				once(t, b)
			}
			feed(t, b.Addrs(), 20, 20) // what is late comes now at the latest
			until(t, func() bool { return c.held() == 0 }, "something is not delivered")
			once(t, b)
			m.leave()
			once(t, b)
		})
	})
}

// The cutter loses what it says.
func TestCutterLosesWhatItSays(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	got := make(chan byte, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go eachFrame(conn, func(frame []byte) bool { // answers each with its number
				got <- frame[11]
				_, err := conn.Write([]byte{0, 0, 0, 8, 0, 0, 0, frame[11], 1, 2, 3, 4})
				return err == nil
			})
		}
	}()
	defer func() { _ = listener.Close() }()
	c := newCutter(t)
	ask := func(key kmsg.Key, id byte) error {
		conn, err := c.Dial("tcp", listener.Addr().String())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = conn.Write([]byte{0, 0, 0, 8, 0, byte(key.Int16()), 0, 0, 0, 0, 0, id})
		require.NoError(t, err)
		_, err = io.ReadFull(conn, make([]byte, 12))
		return err
	}
	c.cut(kmsg.EndTxn, lostAnswer, 1)
	require.NoError(t, ask(kmsg.Produce, 1))
	require.Error(t, ask(kmsg.EndTxn, 2))
	require.NoError(t, ask(kmsg.EndTxn, 3))
	c.cut(kmsg.EndTxn, lostRequest, 1)
	require.Error(t, ask(kmsg.EndTxn, 4))
	require.Equal(t, 1, c.cuts())
	close(got)
	var ids []byte
	for id := range got {
		ids = append(ids, id)
	}
	require.Equal(t, []byte{1, 2, 3}, ids)
}
