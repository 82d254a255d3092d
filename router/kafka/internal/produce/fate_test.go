package produce_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// Sequence numbers go on at 0 after 2^31-1, and a batch that is sent again has
// the one it had. The broker here only writes down what it gets: the embedded
// one counts to 2^31-2.
func TestSequencesGoOnAfterTheirEnd(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	var got []int32 // written on the cluster's goroutine
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		var b kmsg.RecordBatch
		if err := b.ReadFrom(r.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records); err != nil {
			return nil, err, true
		}
		got = append(got, b.FirstSequence)
		return produceResponse(r, func(_ *kmsg.ProduceResponse, p *kmsg.ProduceResponseTopicPartition) {
			if len(got)%2 == 1 {
				p.ErrorCode = kerr.RequestTimedOut.Code
			}
		}), nil, true
	})
	p := newProducer(t, c.ListenAddrs(), produce.Config{})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	p.StartSequencesAt(math.MaxInt32 - 4)
	for range 4 {
		require.NoError(t, p.Enqueue(topic, make([]client.Output, 3)))
		require.NoError(t, p.Flush(within(t)))
	}
	require.NoError(t, p.Close(within(t)))
	require.Equal(t, []int32{math.MaxInt32 - 4, math.MaxInt32 - 4, math.MaxInt32 - 1, math.MaxInt32 - 1, 1, 1, 4, 4}, got)
}

// A broker that says "duplicate" has the batch.
func TestDuplicateCountsAsStored(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	var got []client.Result
	p := newProducer(t, c.ListenAddrs(), produce.Config{Done: func(r client.Result) { got = append(got, r) }})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	c.Fault( // the first is stored, and the second answered like this
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut},
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.DuplicateSequenceNumber},
	)
	require.NoError(t, p.Enqueue(topic, []client.Output{{Value: []byte("1")}}))
	require.NoError(t, p.Flush(within(t)))
	require.NoError(t, p.Enqueue(topic, []client.Output{{Value: []byte("2")}}))
	require.NoError(t, p.Close(within(t)))
	require.Len(t, brokertest.ReadAll(t, c.ListenAddrs(), topic), 2)
	require.Len(t, got, 2)
	require.Equal(t, client.Stored, got[0].Fate)
	require.Equal(t, int64(-1), got[0].Base, "the broker does not say where")
	require.Equal(t, int64(1), got[1].Base)
}

// The fate after a refusal is "not stored"; if an earlier attempt may have
// stored it, "unknown".
func TestFateIsWhatIsKnown(t *testing.T) {
	t.Parallel()
	for want, faults := range map[client.Fate][]*kerr.Error{
		client.NotStored: {kerr.NotEnoughReplicas, kerr.TopicAuthorizationFailed},
		client.Unknown:   {kerr.RequestTimedOut, kerr.TopicAuthorizationFailed},
	} {
		c := newCluster(t)
		results := make(chan client.Result, 1)
		p := newProducer(t, c.ListenAddrs(), produce.Config{Done: func(r client.Result) { results <- r }})
		_, err := p.Prepare(within(t), topic)
		require.NoError(t, err)
		for _, e := range faults {
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e})
		}
		require.NoError(t, p.Enqueue(topic, []client.Output{{}}))
		r := <-results
		require.Equal(t, want, r.Fate)
		require.ErrorIs(t, r.Err, kerrOf(kerr.TopicAuthorizationFailed))
		require.ErrorContains(t, r.Err, "partition 0 of topic "+topic)
		require.ErrorIs(t, p.Close(within(t)), kerrOf(kerr.TopicAuthorizationFailed))
	}
}

// Each batch gets what is said of its partition, in whatever order the broker
// lists them, and the first where one is listed twice. One that is not listed
// is sent again.
func TestAnswersFindTheirBatches(t *testing.T) {
	t.Parallel()
	const many, forgotten = 100, 42
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(many, topic), kfake.SeedTopics(many, "a-"+topic))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	skipped := map[string]bool{} // by topic; used on the cluster's goroutine
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := produceResponse(r, func(_ *kmsg.ProduceResponse, p *kmsg.ProduceResponseTopicPartition) {
			p.BaseOffset = 1000 + int64(p.Partition)
		}).(*kmsg.ProduceResponse)
		for i := range resp.Topics {
			rt := &resp.Topics[i]
			slices.Reverse(rt.Partitions)
			again := rt.Partitions[0]
			again.BaseOffset = 7
			rt.Partitions = append(rt.Partitions, again)
			if !skipped[rt.Topic] {
				before := len(rt.Partitions)
				rt.Partitions = slices.DeleteFunc(rt.Partitions, func(p kmsg.ProduceResponseTopicPartition) bool { return p.Partition == forgotten })
				skipped[rt.Topic] = len(rt.Partitions) < before
			}
		}
		slices.Reverse(resp.Topics)
		return resp, nil, true
	})
	results := make(chan client.Result, 2*many)
	p := newProducer(t, c.ListenAddrs(), produce.Config{Done: func(r client.Result) { results <- r }})
	for _, name := range []string{topic, "a-" + topic} {
		_, err := p.Prepare(within(t), name)
		require.NoError(t, err)
	}
	outs := make([]client.Output, many)
	for i := range outs {
		outs[i].Partition = int32(i)
	}
	for _, name := range []string{topic, "a-" + topic} {
		require.NoError(t, p.Enqueue(name, outs))
	}
	require.NoError(t, p.Close(within(t)))
	require.Len(t, results, 2*many)
	for range 2 * many {
		r := <-results
		require.Equal(t, client.Stored, r.Fate)
		require.Equal(t, 1000+int64(r.Partition), r.Base)
	}
	require.Equal(t, map[string]bool{topic: true, "a-" + topic: true}, skipped)
}

// A broker that names the records that it refuses is quoted.
func TestRefusalNamesTheCulprits(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	why := "no key"
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		return produceResponse(r, func(_ *kmsg.ProduceResponse, p *kmsg.ProduceResponseTopicPartition) {
			p.ErrorCode = kerr.InvalidRecord.Code
			p.ErrorRecords = []kmsg.ProduceResponseTopicPartitionErrorRecord{{RelativeOffset: 1, ErrorMessage: &why}}
		}), nil, true
	})
	results := make(chan client.Result, 1)
	p := newProducer(t, c.ListenAddrs(), produce.Config{Done: func(r client.Result) { results <- r }})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.NoError(t, p.Enqueue(topic, make([]client.Output, 3)))
	r := <-results
	var refused *client.RefusedError
	require.ErrorAs(t, r.Err, &refused)
	require.Equal(t, []int{1}, refused.Outputs)
	require.ErrorContains(t, r.Err, why)
}

// produceResponse answers every partition of a request.
func produceResponse(r kmsg.Request, fill func(*kmsg.ProduceResponse, *kmsg.ProduceResponseTopicPartition)) kmsg.Response {
	req := r.(*kmsg.ProduceRequest)
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, rt := range req.Topics {
		st := kmsg.NewProduceResponseTopic()
		st.Topic = rt.Topic
		for _, rp := range rt.Partitions {
			sp := kmsg.NewProduceResponseTopicPartition()
			sp.Partition = rp.Partition
			fill(resp, &sp)
			st.Partitions = append(st.Partitions, sp)
		}
		resp.Topics = append(resp.Topics, st)
	}
	return resp
}
