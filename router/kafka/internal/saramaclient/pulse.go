package saramaclient

import (
	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// pulse sends heartbeats on a connection of its own: behind a commit that takes long
// one would come too late. It is safe for concurrent use.
type pulse struct {
	gate *connect.Gate
	line *connect.Line
}

func newPulse(template *sarama.Config) *pulse {
	gate := connect.NewGate(template)
	return &pulse{gate: gate, line: connect.NewLine(template, gate)}
}

// close disconnects. What waits for an answer gets none.
func (p *pulse) close() {
	p.gate.Shut()
	p.line.Close()
}

// beat sends a heartbeat to the coordinator at addr.
func (p *pulse) beat(addr string, req *sarama.HeartbeatRequest) error {
	broker, err := p.line.To(addr)
	if err != nil {
		return err
	}
	res, err := broker.Heartbeat(req)
	if err != nil {
		p.line.Lost(broker)
		return err
	}
	// A member that is to join again is one still.
	if res.Err != sarama.ErrNoError && res.Err != sarama.ErrRebalanceInProgress {
		return res.Err
	}
	return nil
}
