package kafka_test

import (
	"encoding/binary"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// late is a request that was lost on its way, and arrives after all.
type late struct {
	addr  string
	frame []byte
	id    string   // of the transactions
	at    kmsg.Key // it arrives before such a request of that id
	skips int      // of which these many come first
}

// hold keeps a request for later: its sender takes it for lost, and sends it again.
func (c *cutter) hold(addr string, frame []byte) {
	l := late{addr: addr, frame: frame, id: transactionalIDOf(frame), at: kmsg.EndTxn, skips: 1} // that of its own transaction
	if kmsg.Key(binary.BigEndian.Uint16(frame[4:])) == kmsg.EndTxn {
		l.at, l.skips = kmsg.TxnOffsetCommit, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = append(c.late, l)
}

// deliverBefore lets what is late arrive before a request, and be answered.
func (c *cutter) deliverBefore(frame []byte) {
	for _, l := range c.due(frame) {
		c.deliver(l)
	}
}

// due takes out what is to arrive before a request.
func (c *cutter) due(frame []byte) (due []late) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.late) == 0 {
		return nil
	}
	key, id := kmsg.Key(binary.BigEndian.Uint16(frame[4:])), transactionalIDOf(frame)
	var left []late
	for _, l := range c.late {
		switch meant := l.at == key && l.id == id; {
		case meant && l.skips == 0:
			due = append(due, l)
		case meant:
			l.skips--
			fallthrough
		default:
			left = append(left, l)
		}
	}
	c.late = left
	return due
}

// deliver sends a request over a connection of its own. What is answered nobody is told.
func (c *cutter) deliver(l late) {
	conn, err := c.dial.Dial("tcp", l.addr)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(l.frame); err == nil {
		eachFrame(conn, func([]byte) bool { return false })
	}
}

// transactionalIDOf is the transactional id of a request, or "".
func transactionalIDOf(frame []byte) string {
	req := kmsg.RequestForKey(int16(binary.BigEndian.Uint16(frame[4:])))
	if req == nil {
		return ""
	}
	req.SetVersion(int16(binary.BigEndian.Uint16(frame[6:])))
	body := frame[14:]
	if n := int16(binary.BigEndian.Uint16(frame[12:])); n > 0 {
		body = body[n:]
	}
	if req.IsFlexible() {
		body = body[1:] // no tags
	}
	if err := req.ReadFrom(body); err != nil {
		return ""
	}
	switch r := req.(type) {
	case *kmsg.AddPartitionsToTxnRequest:
		return r.TransactionalID
	case *kmsg.AddOffsetsToTxnRequest:
		return r.TransactionalID
	case *kmsg.TxnOffsetCommitRequest:
		return r.TransactionalID
	case *kmsg.EndTxnRequest:
		return r.TransactionalID
	case *kmsg.ProduceRequest:
		if r.TransactionID != nil {
			return *r.TransactionID
		}
	}
	return ""
}
