package brokertest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

type topic struct {
	name       string
	partitions int32
	configs    []string
}

// CreateTopic makes a topic with one replica, and waits until each of its
// partitions has a leader. Each config is written as "max.message.bytes=2000".
func CreateTopic(t testing.TB, addrs []string, name string, partitions int32, configs ...string) {
	t.Helper()
	ctx, cancel := background()
	defer cancel()
	client := newClient(t, addrs)

	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic = name
	topic.NumPartitions = partitions
	topic.ReplicationFactor = 1
	for _, config := range configs {
		key, value, found := strings.Cut(config, "=")
		require.True(t, found, "the config %q of topic %s is not written key=value", config, name)
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = key, new(value)
		topic.Configs = append(topic.Configs, c)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = int32(timeout.Milliseconds())
	request.Topics = append(request.Topics, topic)

	response, err := request.RequestWith(ctx, client)
	require.NoError(t, err, "create topic %s", name)
	require.Len(t, response.Topics, 1)
	require.NoError(t, kerr.ErrorForCode(response.Topics[0].ErrorCode), "create topic %s", name)
	require.Eventually(t, func() bool { return led(ctx, client, name, partitions) }, timeout, 5*time.Millisecond,
		"topic %s has no leaders", name)
}

// led tells whether every partition of the topic has a leader, as a Kafka
// answers a moment after the topic was made.
func led(ctx context.Context, client *kgo.Client, name string, partitions int32) bool {
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil || response.Topics[0].ErrorCode != 0 || len(response.Topics[0].Partitions) != int(partitions) {
		return false
	}
	for _, p := range response.Topics[0].Partitions {
		if p.ErrorCode != 0 || p.Leader < 0 {
			return false
		}
	}
	return true
}

// newClient returns a client that is closed when the test ends.
func newClient(t testing.TB, addrs []string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addrs...)}, options...)...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}
