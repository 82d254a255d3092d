package produce_test

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// offline is a client that only has a configuration.
type offline struct {
	sarama.Client
	conf *sarama.Config
}

func (c offline) Config() *sarama.Config { return c.conf }

func TestConfigSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	old := quick()
	old.Version = sarama.V2_0_0_0
	for want, change := range map[string]func(*produce.Config){
		"Client is missing":         func(c *produce.Config) { c.Client = nil },
		"Client speaks protocol":    func(c *produce.Config) { c.Client = offline{conf: old} },
		"Sarama has protocol":       func(c *produce.Config) { c.Sarama = old },
		"Done is missing":           func(c *produce.Config) { c.Done = nil },
		"Compression 9":             func(c *produce.Config) { c.Compression = 9 },
		"BatchBytes is -1":          func(c *produce.Config) { c.BatchBytes = -1 },
		"RequestBytes is 1":         func(c *produce.Config) { c.RequestBytes = 1 },
		"MaxInFlight is -1":         func(c *produce.Config) { c.MaxInFlight = -1 },
		"Linger is -1s":             func(c *produce.Config) { c.Linger = -time.Second },
		"DeliveryTimeout is -1s":    func(c *produce.Config) { c.DeliveryTimeout = -time.Second },
		"Backoff is -1s":            func(c *produce.Config) { c.Backoff = -time.Second },
		"IdleTimeout is -1s":        func(c *produce.Config) { c.IdleTimeout = -time.Second },
		"TransactionTimeout is -1s": func(c *produce.Config) { c.TransactionTimeout = -time.Second },
		"TransactionalID is for":    func(c *produce.Config) { c.TransactionalID = "id" },
	} {
		c := produce.Config{Client: offline{conf: quick()}, Done: func(client.Result) {}}
		change(&c)
		_, err := produce.New(t.Context(), c)
		require.ErrorContains(t, err, want)
	}
	_, err := produce.NewTransactional(t.Context(), produce.Config{})
	require.ErrorContains(t, err, "TransactionalID is missing")
	_, err = produce.New(t.Context(), produce.Config{BatchBytes: -1, Linger: -1})
	require.ErrorContains(t, err, "BatchBytes")
	require.ErrorContains(t, err, "Linger", "all mistakes at once")
}
