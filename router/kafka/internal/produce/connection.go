package produce

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/IBM/sarama"
)

var errNoAnswer = errors.New("the broker's answer lacks the partition")

// connection is a connection to a broker. Once something went wrong on it, it
// is not used again: what was half written or not answered could be anything.
type connection struct {
	broker *sarama.Broker
	broken atomic.Bool
}

// connect returns the sender's connection, a new one if there is none or it is
// broken.
func (s *sender) connect() (*connection, error) {
	if s.conn != nil && s.conn.broken.Load() {
		s.disconnect()
	}
	if s.conn == nil {
		broker, err := s.open()
		if err != nil {
			return nil, s.explain(err)
		}
		s.conn = &connection{broker: broker}
	}
	return s.conn, nil
}

// open makes a connection. Making one can run code of the user (a token
// provider, a proxy), so a fence does not wait for it.
func (s *sender) open() (*sarama.Broker, error) {
	conf := *s.p.conn // sarama changes it where it negotiates
	broker := sarama.NewBroker(s.addr)
	if err := broker.Open(&conf); err != nil {
		return nil, err
	}
	connected := make(chan error)
	go func() {
		ok, err := broker.Connected() // returns when Open is through
		if err == nil && !ok {
			err = sarama.ErrNotConnected
		}
		select {
		case connected <- err:
		case <-s.p.fence.cut:
			_ = broker.Close()
		}
	}()
	select {
	case err := <-connected:
		if err != nil {
			_ = broker.Close()
			return nil, err
		}
		return broker, nil
	case <-s.p.fence.cut:
		return nil, errCut
	}
}

// disconnect closes the connection, which answers what is in flight on it.
func (s *sender) disconnect() {
	if s.conn != nil {
		_ = s.conn.broker.Close()
		s.conn = nil
	}
}

func (s *sender) explain(err error) error {
	return fmt.Errorf("broker %s: %w", s.addr, err)
}

// isEncoding reports whether a request could not be put into bytes, so that
// nothing was sent and nothing ever will be.
func isEncoding(err error) bool {
	var e sarama.PacketEncodingError
	return errors.As(err, &e)
}
