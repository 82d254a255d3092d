package produce_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
)

// wire is a dialer whose connections fail around produce requests. It is given
// to the producer as the proxy of its configuration.
type wire struct {
	mode  atomic.Int32 // a wireMode
	every int64        // which produce request is hurt: each so many
	seen  atomic.Int64 // produce requests while a mode is on
	hits  atomic.Int64 // requests hurt
	whole atomic.Int64 // produce requests that were written as a whole
}

type wireMode int32

const (
	wireFine    wireMode = iota
	cutBefore            // cut instead of writing
	cutHalf              // cut when half of it is written
	cutApplied           // cut when the answer comes: the broker has stored it
	neverAnswer          // the answer does not come; the connection stays
	garbled              // the answer comes as other bytes
	stale                // the answer comes with the id of another request
)

func (w *wire) set(m wireMode) { w.mode.Store(int32(m)) }

// Dial implements the proxy's dialer.
func (w *wire) Dial(network, addr string) (net.Conn, error) {
	conn, err := net.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	return &wireConn{Conn: conn, wire: w}, nil
}

type wireConn struct {
	net.Conn
	wire  *wire
	left  int          // of the request that is being written
	whole bool         // it is a produce request, to be counted when it is written
	onAns atomic.Int32 // what to do with the next answer: a wireMode
}

// Write takes a request in one piece or several. Each begins with a piece of
// its own.
func (c *wireConn) Write(b []byte) (int, error) {
	if c.left == 0 {
		c.left = 4 + int(binary.BigEndian.Uint32(b))
		if n, err := c.begin(b); err != nil {
			return n, err
		}
	}
	c.left -= len(b)
	if c.left == 0 && c.whole {
		c.whole = false
		c.wire.whole.Add(1)
	}
	return c.Conn.Write(b)
}

// begin hurts a request that begins with b, if it is to be hurt at once.
func (c *wireConn) begin(b []byte) (int, error) {
	const produceKey = 0
	if binary.BigEndian.Uint16(b[4:]) != produceKey {
		return 0, nil
	}
	c.whole = true
	mode := wireMode(c.wire.mode.Load())
	if mode == wireFine || c.wire.seen.Add(1)%c.wire.every != 0 {
		return 0, nil
	}
	c.wire.hits.Add(1)
	switch mode {
	case cutBefore:
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	case cutHalf:
		n, _ := c.Conn.Write(b[:len(b)/2])
		_ = c.Close()
		return n, io.ErrUnexpectedEOF
	default:
		c.onAns.Store(int32(mode))
		return 0, nil
	}
}

func (c *wireConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		switch mode := wireMode(c.onAns.Load()); {
		case err != nil || mode == wireFine:
			return n, err
		case mode == cutApplied:
			_ = c.Close()
			return 0, io.ErrUnexpectedEOF
		case mode == garbled:
			for i := range b[:n] {
				b[i] ^= 0x55
			}
			return n, nil
		case mode == stale:
			b[min(7, n-1)]++
			return n, nil
		}
		// The answer is swallowed; the deadline of the next read ends this.
	}
}
