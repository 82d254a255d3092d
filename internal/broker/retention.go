package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Retention is looked after here. kfake would do it for topics that set it, and
// until a restart; and it takes away all records before the last one that is too
// old, so that one record with an old timestamp costs the newer ones before it.
// A Kafka takes away from the beginning of a log, up to the first record that is
// not too old. So does this.

// defaultRetention is the retention of topics that set none, as in a Kafka.
const defaultRetention = 7 * 24 * time.Hour

// retentionTimeout bounds one look at all logs.
const retentionTimeout = 30 * time.Second

// applyRetention takes away the records that are past their topic's retention.
func (b *Broker) applyRetention(ctx context.Context) error {
	topics, err := b.dir.readTopics()
	if err != nil {
		return err
	}
	ages := make(map[logName]logAge)
	now := time.Now()
	for _, topic := range topics {
		b.agesOf(topic.Name, now, ages)
	}
	if len(ages) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, retentionTimeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.addrs...), kgo.MaxVersions(kversion.V2_8_0()))
	if err != nil {
		return err
	}
	defer client.Close()
	keep, err := keptFrom(ctx, client, ages)
	if err != nil {
		return fmt.Errorf("look for records past retention: %w", err)
	}
	if err := deleteBefore(ctx, client, keep); err != nil {
		return fmt.Errorf("delete records past retention: %w", err)
	}
	return nil
}

// logName names the log of a partition.
type logName struct {
	topic     string
	partition int32
}

// logAge is what retention wants to know of a log that holds records.
type logAge struct {
	cutoff int64 // what is older goes; in milliseconds since 1970, as are all times here
	newest int64 // the newest time of a record
	start  int64 // the offset of the first record
	stable int64 // the end of what no open transaction holds
}

// agesOf adds the logs of the topic that may hold something past retention.
func (b *Broker) agesOf(topic string, now time.Time, ages map[logName]logAge) {
	info := b.cluster.TopicInfo(topic)
	if info == nil {
		return // deleted since
	}
	retention := defaultRetention.Milliseconds()
	if set := info.Configs["retention.ms"]; set != nil {
		var err error
		if retention, err = strconv.ParseInt(*set, 10, 64); err != nil {
			return // no number, so no limit: better to keep than to lose
		}
	}
	if retention < 0 {
		return
	}
	for _, p := range b.cluster.PartitionInfos(topic) {
		if p.LogStartOffset < p.LastStableOffset {
			ages[logName{topic, p.Partition}] = logAge{
				cutoff: now.UnixMilli() - retention,
				newest: p.MaxTimestamp, start: p.LogStartOffset, stable: p.LastStableOffset,
			}
		}
	}
}

// keptFrom returns, for each log that holds something past retention, the
// offset of the first record that stays.
func keptFrom(ctx context.Context, client *kgo.Client, ages map[logName]logAge) (map[logName]int64, error) {
	request := kmsg.NewPtrListOffsetsRequest()
	for log, age := range ages {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = log.partition, age.cutoff
		topic := kmsg.NewListOffsetsRequestTopic()
		topic.Topic = log.topic
		topic.Partitions = append(topic.Partitions, p)
		request.Topics = append(request.Topics, topic)
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	keep := make(map[logName]int64)
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			log := logName{topic.Topic, p.Partition}
			age := ages[log]
			from := p.Offset
			if from < 0 && age.newest < age.cutoff {
				from = age.stable // all are too old
			}
			// A deleted topic is no error; where there is no answer, all stays.
			if p.ErrorCode == 0 && from > age.start {
				keep[log] = min(from, age.stable)
			}
		}
	}
	return keep, nil
}

func deleteBefore(ctx context.Context, client *kgo.Client, keep map[logName]int64) error {
	if len(keep) == 0 {
		return nil
	}
	request := kmsg.NewPtrDeleteRecordsRequest()
	for log, offset := range keep {
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Partition, p.Offset = log.partition, offset
		topic := kmsg.NewDeleteRecordsRequestTopic()
		topic.Topic = log.topic
		topic.Partitions = append(topic.Partitions, p)
		request.Topics = append(request.Topics, topic)
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	var errs []error
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			err := kerr.ErrorForCode(p.ErrorCode)
			if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
				errs = append(errs, fmt.Errorf("partition %d of %s: %w", p.Partition, topic.Topic, err))
			}
		}
	}
	return errors.Join(errs...)
}
