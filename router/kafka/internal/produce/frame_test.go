package produce_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// What another implementation reads in a request is what was put into it: each
// batch once, where it belongs.
func TestRequestsAreReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]map[int32][]byte{}
		var batches []produce.Placed
		for i := range rapid.IntRange(1, 20).Draw(t, "batches") {
			b := produce.Placed{
				Topic:     fmt.Sprint("topic-", rapid.IntRange(0, 3).Draw(t, "topic")),
				Partition: rapid.Int32Range(0, 9).Draw(t, "partition"),
				Batch:     append(make([]byte, rapid.IntRange(0, 50).Draw(t, "size")), byte(i)),
			}
			if want[b.Topic] == nil {
				want[b.Topic] = map[int32][]byte{}
			}
			if want[b.Topic][b.Partition] == nil { // a partition has one batch at a time
				want[b.Topic][b.Partition] = b.Batch
				batches = append(batches, b)
			}
		}
		clientID := rapid.StringN(0, 30, -1).Draw(t, "client")
		transactionalID := rapid.SampledFrom([]string{"", "id"}).Draw(t, "transactional id")
		correlation := rapid.Int32().Draw(t, "correlation")
		sent := produce.Frame(clientID, transactionalID, 4711, correlation, batches)

		require.Equal(t, len(sent)-4, int(binary.BigEndian.Uint32(sent)))
		require.Equal(t, kmsg.Produce.Int16(), int16(binary.BigEndian.Uint16(sent[4:])))
		require.Equal(t, correlation, int32(binary.BigEndian.Uint32(sent[8:])))
		n := int(binary.BigEndian.Uint16(sent[12:]))
		require.Equal(t, clientID, string(sent[14:14+n]))
		req := kmsg.ProduceRequest{Version: int16(binary.BigEndian.Uint16(sent[6:]))}
		require.NoError(t, req.ReadFrom(sent[14+n:]))
		require.Equal(t, int16(-1), req.Acks)
		require.Equal(t, int32(4711), req.TimeoutMillis)
		if transactionalID == "" {
			require.Nil(t, req.TransactionID)
		} else {
			require.Equal(t, transactionalID, *req.TransactionID)
		}
		for _, rt := range req.Topics {
			for _, rp := range rt.Partitions {
				require.Equal(t, want[rt.Topic][rp.Partition], rp.Records)
				delete(want[rt.Topic], rp.Partition)
			}
			require.Empty(t, want[rt.Topic], "a topic occurs once, with all of its batches")
		}
	})
}
