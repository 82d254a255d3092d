package saramaclient

import (
	"context"
	"sync"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// pulse sends heartbeats on a connection of its own. A broker serves a connection's
// requests one by one: behind a commit that takes long a heartbeat would come too late.
// It connects when it is first used, and again when the connection was lost or the
// coordinator has moved. It is safe for concurrent use.
type pulse struct {
	conf *sarama.Config
	gate *connect.Gate

	mu     sync.Mutex
	broker *sarama.Broker // nil: not connected
	ending sync.WaitGroup // connections that are being closed
}

func newPulse(template *sarama.Config) *pulse {
	return &pulse{conf: template, gate: connect.NewGate(template)}
}

// close disconnects. What waits for an answer gets none.
func (p *pulse) close() {
	p.gate.Shut()
	p.mu.Lock()
	p.disconnect()
	p.mu.Unlock()
	// Without a connection all ends at once, but for code of the user that gives a token.
	ctx, cancel := context.WithTimeout(context.Background(), dialPatience)
	defer cancel()
	_, _ = Aside(ctx, func() (struct{}, error) {
		p.ending.Wait()
		return struct{}{}, nil
	})
}

// beat sends a heartbeat to the coordinator at addr.
func (p *pulse) beat(addr string, req *sarama.HeartbeatRequest) error {
	broker, err := p.connect(addr)
	if err != nil {
		return err
	}
	res, err := broker.Heartbeat(req)
	if err != nil {
		p.lost(broker)
		return err
	}
	if res.Err != sarama.ErrNoError && res.Err != sarama.ErrRebalanceInProgress {
		return res.Err
	}
	return nil
}

// connect is the connection to addr. It is made beside the caller, who waits for it
// with the first request.
func (p *pulse) connect(addr string) (*sarama.Broker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gate.IsShut() {
		return nil, connect.ErrCut
	}
	if p.broker != nil && p.broker.Addr() == addr {
		return p.broker, nil
	}
	p.disconnect()
	conf := *p.conf // sarama changes it where it negotiates
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, p.gate
	broker := sarama.NewBroker(addr)
	if err := broker.Open(&conf); err != nil {
		return nil, err
	}
	p.broker = broker
	return broker, nil
}

// lost disconnects what has failed, unless somebody has before.
func (p *pulse) lost(broker *sarama.Broker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broker == broker {
		p.disconnect()
	}
}

// disconnect ends the connection, beside the caller: one that is only being made is
// waited for. The caller holds the lock.
func (p *pulse) disconnect() {
	if p.broker != nil {
		broker := p.broker
		p.broker = nil
		p.ending.Go(func() { _ = broker.Close() })
	}
}
