package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/saramaclient"
)

// Admin looks at topics and groups and makes topics. It is safe for
// concurrent use.
type Admin struct {
	conn  sarama.Client
	admin sarama.ClusterAdmin
}

// NewAdmin connects to a cluster.
func NewAdmin(ctx context.Context, cfg Config) (*Admin, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure Kafka: %w", err)
	}
	conn, err := saramaclient.Dial(ctx, cfg.Brokers, cfg.sarama())
	if err != nil {
		return nil, err
	}
	admin, err := sarama.NewClusterAdminFromClient(conn)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to Kafka at %s: %w", strings.Join(cfg.Brokers, ", "), err), conn.Close())
	}
	return &Admin{conn: conn, admin: admin}, nil
}

// Close disconnects.
func (a *Admin) Close() error { return a.admin.Close() }

// Brokers is how many brokers the cluster has.
func (a *Admin) Brokers(ctx context.Context) (int, error) {
	n, err := saramaclient.Aside(ctx, func() (int, error) {
		brokers, _, err := a.admin.DescribeCluster()
		return len(brokers), err
	})
	if err != nil {
		return 0, fmt.Errorf("count the brokers: %w", asLost(err))
	}
	return n, nil
}

// ErrConnectionLost is the cause of an error of an [Admin] whose connection to a broker
// broke, because that one stopped, for example. It does not connect again: another
// Admin is asked instead.
var ErrConnectionLost = errors.New("the connection to a broker is lost")

// asLost joins ErrConnectionLost to an error that is none of a broker's.
func asLost(err error) error {
	_, answered := errors.AsType[sarama.KError](err)
	_, broken := errors.AsType[net.Error](err)
	if !answered && (broken || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, sarama.ErrNotConnected)) {
		return fmt.Errorf("%w: %w", ErrConnectionLost, err)
	}
	return err
}

// Topic is a topic as the cluster has it.
type Topic struct {
	Name        string
	ID          [16]byte
	Partitions  int
	Replication int
	Configs     map[string]string // what is in force, defaults included
}

// TopicNames lists the topics of the cluster, sorted.
func (a *Admin) TopicNames(ctx context.Context) ([]string, error) {
	names, err := saramaclient.Aside(ctx, func() ([]string, error) {
		topics, err := a.admin.ListTopics()
		return slices.Sorted(maps.Keys(topics)), err
	})
	if err != nil {
		return nil, fmt.Errorf("list the topics: %w", err)
	}
	return names, nil
}

// Topics describes the topics of these names that exist.
func (a *Admin) Topics(ctx context.Context, names ...string) (map[string]Topic, error) {
	found, err := saramaclient.Aside(ctx, func() (map[string]Topic, error) { return a.describe(names) })
	if err != nil {
		return nil, fmt.Errorf("describe topics %s: %w", strings.Join(names, ", "), asLost(err))
	}
	return found, nil
}

func (a *Admin) describe(names []string) (map[string]Topic, error) {
	if len(names) == 0 {
		return map[string]Topic{}, nil
	}
	described, err := a.admin.DescribeTopics(names)
	if err != nil {
		return nil, err
	}
	found := make(map[string]Topic, len(names))
	var resources []*sarama.ConfigResource
	for _, t := range described {
		switch {
		case t.Err == sarama.ErrUnknownTopicOrPartition:
			continue
		case t.Err != sarama.ErrNoError:
			return nil, fmt.Errorf("%s: %w", t.Name, t.Err)
		}
		topic := Topic{Name: t.Name, ID: t.Uuid, Partitions: len(t.Partitions)}
		if len(t.Partitions) > 0 {
			topic.Replication = len(t.Partitions[0].Replicas)
		}
		found[t.Name] = topic
		resources = append(resources, &sarama.ConfigResource{Type: sarama.TopicResource, Name: t.Name})
	}
	if len(resources) == 0 {
		return found, nil
	}
	results, err := a.admin.DescribeConfigs(resources, sarama.DescribeConfigsOptions{})
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		if r.ErrorCode == sarama.ErrUnknownTopicOrPartition {
			delete(found, r.Name) // it is new, and another broker answers that has not heard of it; or it is gone
			continue
		}
		if r.ErrorCode != sarama.ErrNoError {
			return nil, fmt.Errorf("configuration of %s: %w", r.Name, r.ErrorCode)
		}
		t := found[r.Name]
		t.Configs = make(map[string]string, len(r.Configs))
		for _, e := range r.Configs {
			t.Configs[e.Name] = e.Value
		}
		found[r.Name] = t
	}
	return found, nil
}

// NewTopic is a topic to be made.
type NewTopic struct {
	Name        string
	Partitions  int
	Replication int // 0: the cluster's default
	Configs     map[string]string
}

// Create makes a topic. That it exists already is no error: somebody else was
// quicker.
func (a *Admin) Create(ctx context.Context, t NewTopic) error {
	detail := &sarama.TopicDetail{NumPartitions: int32(t.Partitions), ReplicationFactor: int16(t.Replication), ConfigEntries: configEntries(t.Configs)}
	if t.Replication == 0 {
		detail.ReplicationFactor = -1
	}
	_, err := saramaclient.Aside(ctx, func() (struct{}, error) { return struct{}{}, a.admin.CreateTopic(t.Name, detail, false) })
	if err != nil && !errors.Is(err, sarama.ErrTopicAlreadyExists) {
		return fmt.Errorf("create topic %s: %w", t.Name, err)
	}
	return nil
}

// Configure sets configurations of a topic and leaves its others alone.
func (a *Admin) Configure(ctx context.Context, topic string, configs map[string]string) error {
	entries := make(map[string]sarama.IncrementalAlterConfigsEntry, len(configs))
	for k, v := range configs {
		entries[k] = sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &v}
	}
	_, err := saramaclient.Aside(ctx, func() (struct{}, error) {
		return struct{}{}, a.admin.IncrementalAlterConfig(sarama.TopicResource, topic, entries, false)
	})
	if err != nil {
		return fmt.Errorf("configure topic %s: %w", topic, err)
	}
	return nil
}

// AddPartitions makes a topic have as many partitions as total. Keys move: the
// order of a key does not hold across the change.
func (a *Admin) AddPartitions(ctx context.Context, topic string, total int) error {
	_, err := saramaclient.Aside(ctx, func() (struct{}, error) {
		return struct{}{}, a.admin.CreatePartitions(topic, int32(total), nil, false)
	})
	if err != nil {
		return fmt.Errorf("add partitions to topic %s: %w", topic, err)
	}
	return nil
}

// DeleteRecords removes the records of a partition that lie before an offset.
// That they are removed already is no error. [ErrNotInLog] says that the log
// ends before it; then nothing was removed.
func (a *Admin) DeleteRecords(ctx context.Context, topic string, partition int32, before int64) error {
	return saramaclient.DeleteRecords(ctx, a.conn, topic, partition, before)
}

func configEntries(configs map[string]string) map[string]*string {
	entries := make(map[string]*string, len(configs))
	for k, v := range configs {
		entries[k] = &v
	}
	return entries
}
