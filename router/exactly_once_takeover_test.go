package router_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
)

// leaveOpen commits what an owner of a partition leaves that ends without a word.
func leaveOpen(t *testing.T, addrs []string, group, topic string, partition int32) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.MaxVersions(kversion.V3_8_0())) // which names topics, not their ids
	require.NoError(t, err)
	defer client.Close()
	req := kmsg.NewOffsetCommitRequest()
	req.Group = group
	at, of := kmsg.NewOffsetCommitRequestTopicPartition(), kmsg.NewOffsetCommitRequestTopic()
	left := `{"v":1,"scan":0,"crashes":{"open":true,"by":"another"}}`
	at.Partition, at.Metadata = partition, &left
	of.Topic, of.Partitions = topic, append(of.Partitions, at)
	req.Topics = append(req.Topics, of)
	resp, err := req.RequestWith(t.Context(), client)
	require.NoError(t, err)
	require.Zero(t, resp.Topics[0].Partitions[0].ErrorCode)
}

// Until the first message is begun a takeover is one transaction: who owns the
// partition, in the retry log and beside the offset.
func TestATakeoverIsOneTransaction(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	addrs := b.Addrs()
	begun := make(chan struct{}, 1)
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error {
		begun <- struct{}{}
		return nil
	}, append(parks(), pipeline.ExactlyOnce())...)
	g, err := p.Build()
	require.NoError(t, err)
	makeTopics(t, addrs, g)
	leaveOpen(t, addrs, "laned.work", "laned.in", 0)
	var ends atomic.Int32
	others := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, TxnID: "laned.work-0", Err: kerr.ConcurrentTransactions, Count: -1, When: func(kmsg.Request) bool {
		return ends.Add(1) > 1
	}})
	brokertest.ProduceTo(t, addrs, "laned.in", 0, numbered(1, 1)...)
	r := start(t, addrs, p, quickly())
	select {
	case <-begun:
	case <-time.After(waitFor):
		require.FailNow(t, "no message is begun while no other transaction can end")
	}
	others.Remove()
	r.drained()
	require.Len(t, brokertest.ReadCommitted(t, addrs, "laned.work"), 1)
}
