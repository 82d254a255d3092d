package sinks_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/sinks"
)

func TestTopicPassesTheMessageOn(t *testing.T) {
	t.Parallel()
	d := delivered(`{ "Name": "a" }`)
	d.Headers, d.Sequence = []schemas.Header{{Name: "x", Value: []byte("1")}}, 3
	sink := sinks.Topic[page]("bank.pages.v1")
	outs, err := apply(t, sink, d)
	require.NoError(t, err)
	require.Len(t, outs, 1)
	require.Equal(t, "bank.pages.v1", outs[0].Topic())
	require.Equal(t, `{ "Name": "a" }`, string(outs[0].Value), "as it came") //nolint:testifylint // not only the same JSON
	require.Equal(t, "ann", outs[0].Key)
	require.Equal(t, d.Headers, outs[0].Headers)
	require.Equal(t, int64(3), outs[0].Sequence)
	n := sinkOf(t, sink)
	require.Equal(t, []string{"bank.pages.v1"}, n.OutsideTopics)
	env := n.Envelope(d, 0, &outs[0])
	require.Equal(t, "bank.pages.v1", env.Type)
}

// loud is a codec of its own.
type loud struct{ schemas.Codec[page] }

func (loud) Encode(p page) ([]byte, error) { return []byte(p.Name + "!"), nil }
func (loud) ContentType() string           { return "text/plain" }

func TestTopicHasACodecAndAKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	d := delivered(`{"Name":"a"}`)
	sink := sinks.Topic("pages", sinks.RecordCodec[page](loud{}), sinks.RecordKey(func(p page) string { return "key " + p.Name }))
	outs, err := apply(t, sink, d)
	require.NoError(t, err)
	require.Equal(t, "a!", string(outs[0].Value))
	require.Equal(t, "key a", outs[0].Key)
	env := sinkOf(t, sink).Envelope(d, 0, &outs[0])
	require.Equal(t, "text/plain", env.ContentType)
}

func TestReplyGoesWhereTheTriggerWantsIt(t *testing.T) {
	t.Parallel()
	d := delivered(`{"Name":"a"}`)
	for topic, verdict := range map[string]pipeline.Verdict{
		"": pipeline.Skipped, "answers": pipeline.Done, "replies.web-1": pipeline.Done, "replies.": pipeline.Done,
		"answers2": pipeline.Rejected, "shop.out.poison": pipeline.Rejected, "replies": pipeline.Rejected,
		"replies.*": pipeline.Rejected, "replies.a b": pipeline.Rejected,
	} {
		d.ReplyTo = topic
		sink := sinks.Reply[page]([]string{"answers", "replies.*"})
		outs, err := apply(t, sink, d)
		got, _ := pipeline.Judge(err)
		require.Equal(t, verdict, got, "%q: %v", topic, err)
		if verdict != pipeline.Done {
			require.Empty(t, outs, "%q", topic)
			continue
		}
		require.Equal(t, topic, outs[0].Topic())
		n := sinkOf(t, sink)
		require.Equal(t, []string{"answers"}, n.OutsideTopics)
		env := n.Envelope(d, 0, &outs[0])
		require.Equal(t, []string{"job-1", sinks.ReplyType, ""}, []string{env.Job, env.Type, env.ReplyTo})
	}
}

func TestReplyWithoutWhatIsAllowedDoesNotOpen(t *testing.T) {
	t.Parallel()
	for _, allowed := range [][]string{nil, {"*"}, {"a b*"}} {
		err := sinkOf(t, sinks.Reply[page](allowed)).Open(t.Context())
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Rejected, verdict, "%q: %v", allowed, err)
	}
}
