package client_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// encodedSize is what another client's encoder makes of a batch with the
// output alone.
func encodedSize(o *client.Output) int {
	r := kmsg.Record{Key: o.Key, Value: o.Value}
	for _, h := range o.Headers {
		r.Headers = append(r.Headers, kmsg.Header{Key: string(h.Key), Value: h.Value})
	}
	const lengthByte = 1 // the encoder writes Length as it is: 0
	body := len(r.AppendTo(nil)) - lengthByte
	r.Length = int32(body)
	return client.BatchOverhead + len(r.AppendTo(nil))
}

func drawOutput(t *rapid.T) client.Output {
	bytes := rapid.OneOf(
		rapid.SliceOfN(rapid.Byte(), 0, 80),
		rapid.Custom(func(t *rapid.T) []byte { return make([]byte, rapid.IntRange(0, 40_000).Draw(t, "length")) }),
		rapid.Just([]byte(nil)),
	)
	o := client.Output{Key: bytes.Draw(t, "key"), Value: bytes.Draw(t, "value")}
	for range rapid.IntRange(0, 70).Draw(t, "headers") {
		o.Headers = append(o.Headers, client.Header{
			Key:   rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "header"),
			Value: bytes.Draw(t, "header value"),
		})
	}
	return o
}

func TestBatchSizeIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := drawOutput(t)
		require.Equal(t, encodedSize(&o), o.BatchSize())
		require.LessOrEqual(t, o.BatchSize(), client.BatchOverhead+o.Size(), "Size is an upper bound")
	})
}

func TestTopicTakesUpToItsLimit(t *testing.T) {
	t.Parallel()
	o := client.Output{Value: make([]byte, 1000)}
	require.True(t, client.Topic{MaxBytes: o.BatchSize()}.Takes(&o))
	require.False(t, client.Topic{MaxBytes: o.BatchSize() - 1}.Takes(&o))
}
