package connect

import "github.com/IBM/sarama"

// EndPatience is for tests.
const EndPatience = endPatience

// NewIdle is a client that is not connected.
func NewIdle(c sarama.Client) *Client { return &Client{Client: c, gate: NewGate(sarama.NewConfig())} }
