//go:build kafka

package kafkatest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestTopicIsThereAsAskedForAndGoneAfterTheTest(t *testing.T) {
	client := newClient(t, kgo.SeedBrokers(Brokers(t)...))

	var topic string
	t.Run("while the test runs", func(t *testing.T) {
		topic = Topic(t, 3, "max.message.bytes=2097152", "cleanup.policy=compact")
		require.Equal(t, 3, partitionsOf(t, client, topic))
		require.Equal(t, "2097152", configOf(t, client, topic, "max.message.bytes"))
		require.Equal(t, "compact", configOf(t, client, topic, "cleanup.policy"))
	})
	require.Eventually(t, func() bool { return partitionsOf(t, client, topic) == 0 },
		requestTimeout, requestTimeout/1000)
}

func TestTopicsOfOneTestDiffer(t *testing.T) {
	t.Parallel()
	first, second := Topic(t, 1), Topic(t, 1)
	require.NotEqual(t, first, second)
}

func TestTopicFailsTheTestWhenKafkaRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config, says string
	}{
		{"no-value", "is not name=value"},
		{"no.such.config=1", "INVALID_CONFIG"},
	} {
		require.Contains(t, failureOf(t, func(failing *recorder) { Topic(failing, 1, c.config) }), c.says)
	}
}

func TestTopicNameIsOneThatKafkaAllows(t *testing.T) {
	t.Parallel()
	name := topicName("Test/näme with_" + strings.Repeat("x", 300))
	require.Regexp(t, `^Test-n-me-with-x+-[a-z0-9]+$`, name)
	require.LessOrEqual(t, len(name), 249)
}

func partitionsOf(t *testing.T, client *kgo.Client, topic string) int {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &topic
	request.Topics = append(request.Topics, asked)
	metadata, err := request.RequestWith(t.Context(), client)
	require.NoError(t, err)
	return led(metadata)
}

func configOf(t *testing.T, client *kgo.Client, topic, name string) string {
	t.Helper()
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType = kmsg.ConfigResourceTypeTopic
	resource.ResourceName = topic
	resource.ConfigNames = []string{name}
	request := kmsg.NewPtrDescribeConfigsRequest()
	request.Resources = append(request.Resources, resource)
	described, err := request.RequestWith(t.Context(), client)
	require.NoError(t, err)
	require.Len(t, described.Resources, 1)
	require.Len(t, described.Resources[0].Configs, 1)
	return *described.Resources[0].Configs[0].Value
}
