package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// cluster is the harness's own view of a broker, apart from all contestants'.
type cluster struct {
	brokers []string
	client  *kgo.Client
	admin   *kadm.Client
}

func connect(brokers []string) (*cluster, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("connect to %v: %w", brokers, err)
	}
	return &cluster{brokers: brokers, client: client, admin: kadm.NewClient(client)}, nil
}

func (c *cluster) close() { c.client.Close() }

// makeTopic makes a topic as the framework makes its pipes.
func (c *cluster) makeTopic(ctx context.Context, topic string, partitions int) error {
	limit, retention, cleanup := strconv.Itoa(1<<20+64<<10), strconv.FormatInt((7*24*time.Hour).Milliseconds(), 10), "delete"
	_, err := c.admin.CreateTopic(ctx, int32(partitions), 1, map[string]*string{
		"max.message.bytes": &limit, "retention.ms": &retention, "cleanup.policy": &cleanup,
	}, topic)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	return nil
}

func (c *cluster) deleteTopics(ctx context.Context, topics ...string) error {
	if _, err := c.admin.DeleteTopics(ctx, topics...); err != nil {
		return fmt.Errorf("delete topics %v: %w", topics, err)
	}
	return nil
}

// ends are the end offsets of a topic's partitions.
func (c *cluster) ends(ctx context.Context, topic string) (map[int32]int64, error) {
	listed, err := c.admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("find the ends of topic %s: %w", topic, err)
	}
	ends := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}

// stored is how many messages a topic holds.
func (c *cluster) stored(ctx context.Context, topic string) (int64, error) {
	ends, err := c.ends(ctx, topic)
	return sum(ends), err
}

// seen is how many outputs of a job a reader sees. Of transactions it is what is
// committed of the input: the log's end counts their markers too, and what is open.
func (c *cluster) seen(ctx context.Context, j job) (int64, error) {
	if j.isExactly() {
		return c.committed(ctx, j.group(), j.inputTopic())
	}
	return c.stored(ctx, j.outputTopic())
}

// committed is how many messages of a topic a group is done with.
func (c *cluster) committed(ctx context.Context, group, topic string) (int64, error) {
	fetched, err := c.admin.FetchOffsetsForTopics(ctx, group, topic)
	if err == nil {
		err = fetched.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("fetch the offsets of group %s: %w", group, err)
	}
	var n int64
	fetched.Each(func(o kadm.OffsetResponse) { n += max(0, o.At) })
	return n, nil
}

func sum(ends map[int32]int64) int64 {
	var n int64
	for _, end := range ends {
		n += end
	}
	return n
}
