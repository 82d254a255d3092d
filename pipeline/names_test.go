package pipeline_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/pipeline"
)

var goodName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Any name passes that makes topics Kafka accepts, and no other.
func TestNamesAreThoseThatKafkaAccepts(t *testing.T) {
	t.Parallel()
	name := rapid.OneOf(
		rapid.StringMatching(`[A-Za-z0-9_-]{1,12}`),
		rapid.SampledFrom([]string{"", "retry", "poison", ".", "..", "Retry", "a.b", "a b", "é"}),
		rapid.String(),
	)
	good := func(s string) bool { return goodName.MatchString(s) && s != "retry" && s != "poison" }
	rapid.Check(t, func(t *rapid.T) {
		pipelineName, pipeName, stageName := name.Draw(t, "pipeline"), name.Draw(t, "pipe"), name.Draw(t, "stage")
		p := pipeline.New(pipelineName)
		in := pipeline.NewPipe[order](p, pipeName)
		pipeline.Sink(in, stageName, drop())
		g, err := p.Build()
		ok := good(pipelineName) && good(pipeName) && good(stageName)
		if stageName+"_poison" == pipeName { // see the next test
			ok = false
		}
		require.Equal(t, ok, err == nil, "%v", err)
		if ok {
			for _, topic := range g.Topology().Topics {
				require.Regexp(t, `^[A-Za-z0-9._-]{1,249}$`, topic.Name)
			}
		}
	})
}

func TestTopicNamesMayFillKafkasBound(t *testing.T) {
	t.Parallel()
	long := make([]byte, 249-len("p."))
	for i := range long {
		long[i] = 'x'
	}
	p := pipeline.New("p")
	pipeline.NewPipe[order](p, string(long), pipeline.Open())
	require.Len(t, build(t, p).Pipes[0].Topic, 249)
}
