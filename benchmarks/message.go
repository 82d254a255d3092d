package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Messages of the input topic have a key, a value of 200 bytes that tells key
// and sequence, and one header: an id under the name that Watermill's transport
// wants and the framework's reads too.
const (
	valueBytes = 200
	idHeader   = "_watermill_message_uuid"
)

func keyName(key int) []byte { return fmt.Appendf(nil, "key-%06d", key) }

// valueOf is "<key> <sequence> " and a filling that depends on both, so that a
// value that is cut, mixed up or stale is noticed.
func valueOf(key []byte, seq int64) []byte {
	v := make([]byte, 0, valueBytes)
	v = append(v, key...)
	v = append(v, ' ')
	v = strconv.AppendInt(v, seq, 10)
	v = append(v, ' ')
	for i := int(seq); len(v) < valueBytes; i++ {
		v = append(v, 'a'+byte((i+int(key[len(key)-1]))%25))
	}
	return v
}

// sequenceOf reads an output's value.
func sequenceOf(key, value []byte) (int64, error) {
	rest, ok := bytes.CutPrefix(value, append(bytes.Clone(key), ' '))
	digits, _, found := bytes.Cut(rest, []byte{' '})
	if !ok || !found {
		return 0, fmt.Errorf("the value is not one of key %s", key)
	}
	seq, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the value has no sequence: %w", err)
	}
	if !bytes.Equal(value, worked(valueOf(key, seq))) {
		return 0, fmt.Errorf("the value of sequence %d is not what the filter made", seq)
	}
	return seq, nil
}

// fill puts n messages into a topic, the keys in turn.
func (c *cluster) fill(ctx context.Context, topic string, n int64, keys int) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(c.brokers...), kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(batchBytes), kgo.MaxBufferedRecords(50_000),
	)
	if err != nil {
		return fmt.Errorf("fill topic %s: %w", topic, err)
	}
	defer client.Close()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	names := make([][]byte, keys)
	for i := range names {
		names[i] = keyName(i)
	}
	for i := range n {
		key := names[i%int64(keys)]
		client.Produce(ctx, &kgo.Record{
			Key: key, Value: valueOf(key, i/int64(keys)),
			Headers: []kgo.RecordHeader{{Key: idHeader, Value: fmt.Appendf(nil, "%036d", i)}},
		}, func(_ *kgo.Record, err error) {
			if err != nil {
				fail(err)
			}
		})
	}
	if err := errors.Join(client.Flush(ctx), context.Cause(ctx)); err != nil {
		return fmt.Errorf("fill topic %s: %w", topic, err)
	}
	return nil
}
