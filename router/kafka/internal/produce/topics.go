package produce

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// TopicMaxAge is how long what is known of a topic is taken for true: then
// partitions that were added are seen, and a changed limit.
const TopicMaxAge = time.Minute

// Topics is what is known of topics. The brokers are asked about each once in a while,
// however many ask at the same time: an answer takes two round trips, and a claim that
// begins has many lanes. Producers of one client and compression can share one; it is
// safe for concurrent use.
type Topics struct {
	client sarama.Client
	ours   sarama.CompressionCodec

	mu    sync.Mutex
	known map[string]*description
}

// description is what the brokers say of a topic, or are being asked.
type description struct {
	asked time.Time
	done  chan struct{}

	// Set when done is closed.
	info client.Topic
	err  error
}

// NewTopics knows nothing yet. What a topic takes depends on the compression of those
// who write to it.
func NewTopics(c sarama.Client, ours sarama.CompressionCodec) *Topics {
	return &Topics{client: c, ours: ours, known: map[string]*description{}}
}

// of returns what is known of a topic, or is being asked, and asks where that is too
// old. What failed is asked again.
func (ts *Topics) of(name string) *description {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	d := ts.known[name]
	if d != nil && time.Since(d.asked) < TopicMaxAge && !d.failed() {
		return d
	}
	d = &description{asked: time.Now(), done: make(chan struct{})}
	ts.known[name] = d
	go func() {
		defer close(d.done)
		d.info, d.err = ts.describe(name)
	}()
	return d
}

// Ask has the brokers be asked about topics, and does not wait for what they say.
func (ts *Topics) Ask(names ...string) {
	for _, name := range names {
		ts.of(name)
	}
}

// failed tells whether the answer is an error.
func (d *description) failed() bool {
	select {
	case <-d.done:
		return d.err != nil
	default:
		return false
	}
}

// describe asks the brokers how many partitions a topic has and how large its
// batches may be. It may take as long as sarama's timeouts and retries.
func (ts *Topics) describe(name string) (client.Topic, error) {
	if err := ts.client.RefreshMetadata(name); err != nil && !errors.Is(err, sarama.ErrLeaderNotAvailable) {
		return client.Topic{}, err // a partition without a leader is waited for when it is written to
	}
	ids, err := ts.client.Partitions(name)
	if err != nil {
		return client.Topic{}, err
	}
	maxBytes, err := ts.maxBytes(name)
	if err != nil {
		return client.Topic{}, fmt.Errorf("read its configuration: %w", err)
	}
	return client.Topic{Partitions: len(ids), MaxBytes: maxBytes}, nil
}

const (
	maxMessageBytes = "max.message.bytes"
	compressionType = "compression.type"
)

func (ts *Topics) maxBytes(name string) (int, error) {
	resp, err := askAny(ts.client, func(b *sarama.Broker) (*sarama.DescribeConfigsResponse, error) {
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
	return takes(min(limit, maxRequest()), ts.ours, values[compressionType]), nil
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
