//go:build kafka

package kafkatest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// brokerDefault leaves the replication factor to the broker.
const brokerDefault = -1

// Topic makes a topic with so many partitions and a name of its own, deletes it
// when the test ends, and returns its name. Configs are settings of the topic,
// each as name=value, such as "max.message.bytes=2097152".
func Topic(t testing.TB, partitions int, configs ...string) string {
	t.Helper()
	return topicOn(t, Brokers(t), partitions, configs)
}

func topicOn(t testing.TB, brokers []string, partitions int, configs []string) string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatalf("make a client: %v", err)
	}
	topic := topicName(t.Name())
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	if err := createTopic(ctx, client, topic, partitions, configs); err != nil {
		client.Close()
		t.Fatalf("create topic %s: %v", topic, err)
	}

	t.Cleanup(func() {
		defer client.Close()
		ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
		defer cancel()
		if err := deleteTopic(ctx, client, topic); err != nil {
			t.Errorf("delete topic %s: %v", topic, err)
		}
	})
	return topic
}

// topicName makes the test's name one that Kafka allows, and adds what makes it unique.
func topicName(test string) string {
	const longest = 200 // of the 249 that Kafka allows
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		}
		return '-'
	}, test)
	return name[:min(len(name), longest)] + "-" + strings.ToLower(rand.Text())
}

func createTopic(ctx context.Context, client *kgo.Client, topic string, partitions int, configs []string) error {
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic = topic
	wanted.NumPartitions = int32(partitions)
	wanted.ReplicationFactor = brokerDefault
	for _, setting := range configs {
		name, value, found := strings.Cut(setting, "=")
		if !found {
			return fmt.Errorf("config %q is not name=value", setting)
		}
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = name, &value
		wanted.Configs = append(wanted.Configs, config)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = int32(requestTimeout.Milliseconds())
	request.Topics = append(request.Topics, wanted)

	created, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for i := range created.Topics {
		if err := kerr.ErrorForCode(created.Topics[i].ErrorCode); err != nil {
			return err
		}
	}
	return awaitLeaders(ctx, client, topic, partitions)
}

// awaitLeaders returns when the brokers know the topic and who leads each of its
// partitions: right after the creation they may not.
func awaitLeaders(ctx context.Context, client *kgo.Client, topic string, partitions int) error {
	for {
		request := kmsg.NewPtrMetadataRequest()
		asked := kmsg.NewMetadataRequestTopic()
		asked.Topic = &topic
		request.Topics = append(request.Topics, asked)
		metadata, err := request.RequestWith(ctx, client)
		if err != nil {
			return fmt.Errorf("wait for the leaders of its partitions: %w", err)
		}
		if led(metadata) == partitions {
			return nil
		}
	}
}

func led(metadata *kmsg.MetadataResponse) (partitions int) {
	for i := range metadata.Topics {
		for j := range metadata.Topics[i].Partitions {
			if metadata.Topics[i].Partitions[j].Leader >= 0 {
				partitions++
			}
		}
	}
	return partitions
}

func deleteTopic(ctx context.Context, client *kgo.Client, topic string) error {
	request := kmsg.NewPtrDeleteTopicsRequest()
	request.TimeoutMillis = int32(requestTimeout.Milliseconds())
	request.TopicNames = []string{topic} // asked in this way up to version 5
	named := kmsg.NewDeleteTopicsRequestTopic()
	named.Topic = &topic
	request.Topics = append(request.Topics, named)

	deleted, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for i := range deleted.Topics {
		err := kerr.ErrorForCode(deleted.Topics[i].ErrorCode)
		if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) { // the test deleted it itself
			return err
		}
	}
	return nil
}
