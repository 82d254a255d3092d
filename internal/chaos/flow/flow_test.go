package flow_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/internal/chaos/flow"
)

func TestAValueTellsItsMessage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := flow.Message{
			Pipe:   rapid.SampledFrom([]string{flow.In, flow.First, flow.Second, flow.Third}).Draw(t, "pipe"),
			Key:    rapid.StringMatching("[a-z0-9-]{0,9}").Draw(t, "key"),
			Number: rapid.IntRange(0, 1e6).Draw(t, "number"),
			Part:   rapid.IntRange(0, 3).Draw(t, "part"),
		}
		read, err := flow.Parse([]byte(m.Value()))
		require.NoError(t, err)
		require.Equal(t, m, read)
	})
}

func TestWhatIsNoValueIsAnError(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "in", "in a", "in a 1", "in a 1.", "in a x.0", "in a 01.0", "in a 1.0 ", "in a b 1.0"} {
		_, err := flow.Parse([]byte(value))
		require.Error(t, err, "%q", value)
	}
}

func TestStagesSplitAndReject(t *testing.T) {
	t.Parallel()
	stages := flow.Stages(flow.Trouble{})
	ten := flow.Message{Pipe: flow.In, Key: "a", Number: 10}
	require.Equal(t, []string{"first a 10.0", "first a 10.1"}, values(stages[0].Make(ten)))
	require.Equal(t, []string{"second a 10.0"}, values(stages[1].Make(ten)))
	require.True(t, stages[0].Rejects(flow.Message{Number: 61}))
	require.False(t, stages[0].Rejects(ten))
	require.True(t, stages[1].Rejects(flow.Message{Number: 23, Part: 0}))
	require.Equal(t, []string{"third a 10.1"}, values(stages[2].Make(flow.Message{Pipe: flow.Second, Key: "a", Number: 10, Part: 1})))
}

func values(messages []flow.Message) (values []string) {
	for _, m := range messages {
		values = append(values, m.Value())
	}
	return values
}
