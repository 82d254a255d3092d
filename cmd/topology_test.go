package cmd_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/pipeline"
)

func TestTopologyOfOnePipelineOrAll(t *testing.T) {
	t.Parallel()
	other := pipeline.New("other")
	pipeline.NewPipe[[]byte](other, "in", pipeline.Open())
	p := program(orders(), other)
	both := ok(t, p, "topology")
	require.Contains(t, both, "pipeline orders\n")
	require.Contains(t, both, "pipeline other\n")
	one := ok(t, p, "topology", "other")
	require.NotContains(t, one, "pipeline orders\n")

	var all []pipeline.Topology
	require.NoError(t, json.Unmarshal([]byte(ok(t, p, "topology", "--format", "json")), &all))
	require.Len(t, all, 2)
	require.Equal(t, "orders", all[0].Pipeline)
	require.NoError(t, json.Unmarshal([]byte(ok(t, p, "topology", "orders", "--format", "json")), &all))
	require.Len(t, all, 1, "a list also of one")

	require.Equal(t, all[0].Mermaid(), ok(t, p, "topology", "orders", "--format", "mermaid"))
	got := call(t, p, "topology", "--format", "mermaid")
	require.Equal(t, cmd.ExitWrongUse, got.code)
	require.Contains(t, got.err, "a Mermaid flowchart shows one pipeline: say which")
}
