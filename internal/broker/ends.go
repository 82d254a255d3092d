package broker

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/url"
	"os"
	"path/filepath"
	"reflect"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// kfake learns the end of a log from the records in it. A log whose records are
// all gone, by retention or by DeleteRecords, would begin again at offset 0
// after a restart, under the offsets that groups have committed, and what is
// written then would never be read. So the ends of empty logs are written down,
// and at the next start a batch without records stands where the end was.

// logEnd is the end of a log that holds no records.
type logEnd struct {
	Topic     string `json:"topic"`
	ID        string `json:"id"` // of the topic: one made anew under the name begins at 0
	Partition int32  `json:"partition"`
	End       int64  `json:"end"` // the offset of the next record
}

// storedTopic is a topic as kfake stores it.
type storedTopic struct {
	Name       string `json:"name"`
	ID         string `json:"id"`
	Partitions int32  `json:"partitions"`
}

func (d *directory) readTopics() ([]storedTopic, error) {
	var stored struct {
		Topics []storedTopic `json:"topics"`
	}
	err := d.read(filepath.Join(clusterName, "topics.json"), &stored)
	return stored.Topics, err
}

// recordEnds writes down the ends of the logs that are empty now, if they are
// others than those already written down, which it returns.
func (b *Broker) recordEnds(written []logEnd) ([]logEnd, error) {
	topics, err := b.dir.readTopics()
	if err != nil {
		return written, fmt.Errorf("look for empty logs: %w", err)
	}
	var ends []logEnd
	for _, topic := range topics {
		for _, p := range b.cluster.PartitionInfos(topic.Name) {
			if p.HighWatermark > 0 && p.LogStartOffset == p.HighWatermark {
				ends = append(ends, logEnd{Topic: topic.Name, ID: topic.ID, Partition: p.Partition, End: p.HighWatermark})
			}
		}
	}
	if reflect.DeepEqual(ends, written) {
		return written, nil
	}
	return ends, b.dir.write(endsName, ends)
}

// restoreEnds puts a batch without records at the end of each log that is
// empty. It returns the ends that are written down.
func (d *directory) restoreEnds() ([]logEnd, error) {
	var ends []logEnd
	if err := d.read(endsName, &ends); err != nil {
		return nil, damaged(d.path, err)
	}
	topics, err := d.readTopics()
	if err != nil {
		return nil, damaged(d.path, err)
	}
	partitions := make(map[storedTopic]int32)
	for _, t := range topics {
		partitions[storedTopic{Name: t.Name, ID: t.ID}] = t.Partitions
	}
	for _, end := range ends {
		if end.Partition >= partitions[storedTopic{Name: end.Topic, ID: end.ID}] {
			continue // the topic is gone
		}
		if err := d.restoreEnd(end); err != nil {
			return nil, fmt.Errorf("restore the end of partition %d of %s: %w", end.Partition, end.Topic, err)
		}
	}
	return ends, nil
}

func (d *directory) restoreEnd(end logEnd) error {
	log := d.file(clusterName, "partitions", fmt.Sprintf("%s-%d", url.PathEscape(end.Topic), end.Partition))
	segments, err := filepath.Glob(filepath.Join(log, "*.dat"))
	if err != nil {
		return err
	}
	for _, segment := range segments {
		if info, err := os.Stat(segment); err != nil || info.Size() > 0 {
			return err // records were written since: they tell the end
		}
	}
	if err := os.MkdirAll(log, directoryMode); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(log, fmt.Sprintf("%d.dat", end.End-1)), emptyBatch(end.End-1), fileMode)
}

// emptyBatch returns a batch that holds an offset and no record, as compaction
// leaves them in a Kafka. Its time is before any retention, so that it goes
// when retention looks.
func emptyBatch(offset int64) []byte {
	const (
		lengthAt = 12 // the length counts what comes after it
		crcAt    = 17
		bodyAt   = 21 // the checksum covers what comes after it
	)
	batch := kmsg.RecordBatch{
		FirstOffset: offset, Magic: 2, FirstTimestamp: -1, MaxTimestamp: -1,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
	}
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[lengthAt-4:], uint32(len(raw)-lengthAt))
	binary.BigEndian.PutUint32(raw[crcAt:], crc32.Checksum(raw[bodyAt:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}
