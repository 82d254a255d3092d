package produce

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// topic has the queues of a topic, at their partitions' numbers.
type topic struct {
	name       string
	maxBytes   atomic.Int64
	partitions []*partition // guarded by Producer.mu
}

func (t *topic) info() client.Topic {
	return client.Topic{Partitions: len(t.partitions), MaxBytes: int(t.maxBytes.Load())}
}

// describe asks the brokers how many partitions a topic has and how large its
// batches may be. It may take as long as sarama's timeouts and retries.
func (p *Producer) describe(name string) (client.Topic, error) {
	if err := p.cfg.Client.RefreshMetadata(name); err != nil && !errors.Is(err, sarama.ErrLeaderNotAvailable) {
		return client.Topic{}, err // a partition without a leader is waited for when it is written to
	}
	ids, err := p.cfg.Client.Partitions(name)
	if err != nil {
		return client.Topic{}, err
	}
	maxBytes, err := p.maxBytes(name)
	if err != nil {
		return client.Topic{}, fmt.Errorf("read its configuration: %w", err)
	}
	return client.Topic{Partitions: len(ids), MaxBytes: maxBytes}, nil
}

const (
	maxMessageBytes = "max.message.bytes"
	compressionType = "compression.type"
)

func (p *Producer) maxBytes(name string) (int, error) {
	resp, err := askAny(p.cfg.Client, func(b *sarama.Broker) (*sarama.DescribeConfigsResponse, error) {
		return b.DescribeConfigs(&sarama.DescribeConfigsRequest{Version: 2, Resources: []*sarama.ConfigResource{{
			Type: sarama.TopicResource, Name: name, ConfigNames: []string{maxMessageBytes, compressionType},
		}}})
	})
	if err != nil {
		return 0, err
	}
	values := map[string]string{}
	for _, r := range resp.Resources {
		if code := sarama.KError(r.ErrorCode); code != sarama.ErrNoError {
			return 0, brokerError(code, r.ErrorMsg)
		}
		for _, e := range r.Configs {
			values[e.Name] = e.Value
		}
	}
	limit, err := strconv.Atoi(values[maxMessageBytes])
	if err != nil {
		return 0, fmt.Errorf("%s of the topic is %q", maxMessageBytes, values[maxMessageBytes])
	}
	return takes(min(limit, maxRequest()), p.cfg.Compression, values[compressionType]), nil
}

// takes is the size before compression up to which a batch is sure to pass a
// limit that the broker compares with the batch as it came, and once more as
// it stores it, if the topic has a codec of its own.
func takes(limit int, ours sarama.CompressionCodec, topics string) int {
	if ours == sarama.CompressionNone && (topics == "" || topics == "producer" || topics == "uncompressed") {
		return limit
	}
	return max(0, limit-expansion(limit))
}

// expansion bounds what a codec adds to data that it cannot compress. The
// worst is xerial's framing of snappy with some 10 bytes every 32 KiB; gzip,
// lz4 and zstd add less to a block and up to 30 bytes to the whole.
func expansion(size int) int { return 64 + size/1024 }
