package cmd_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
)

func TestTheEnvironmentSetsFlagsThatAreNotGiven(t *testing.T) {
	p := program(orders())
	t.Setenv("PENSTOCK_FORMAT", "json")
	require.JSONEq(t, ok(t, p, "topology", "--format", "json"), ok(t, p, "topology"), "as if the flag were given")
	require.Contains(t, ok(t, p, "topology", "--format", "mermaid"), "flowchart", "a flag wins")
	t.Setenv("PENSTOCK_FORMAT", "")
	require.Contains(t, ok(t, p, "topology"), "pipeline orders", "an empty variable sets nothing")

	t.Setenv("PENSTOCK_FORMAT", "xml")
	got := call(t, p, "topology")
	require.Equal(t, cmd.ExitWrongUse, got.code)
	require.Contains(t, got.err, "the environment variable PENSTOCK_FORMAT does not fit")
	require.Contains(t, got.err, "it is one of text, json, mermaid")
	ok(t, p, "topology", "--format", "text")
}

func TestErrorsNameTheVariableWhereItIsToBlame(t *testing.T) {
	t.Setenv("PENSTOCK_BROKERS", "kafka-1")
	require.Contains(t, call(t, operator, "topics", "ls").err, `PENSTOCK_BROKERS: "kafka-1" is not host:port`)
	require.Contains(t, call(t, operator, "topics", "ls", "--brokers", "kafka-2").err, `--brokers: "kafka-2" is not host:port`)
	require.Contains(t, call(t, operator, "topics", "ls", "--data-dir", "x").err, "PENSTOCK_BROKERS names a Kafka cluster and --data-dir the embedded broker's data")
}

func TestListsAndSwitchesFromTheEnvironment(t *testing.T) {
	t.Setenv("PENSTOCK_JSON", "true")
	require.Contains(t, ok(t, operator, "version"), `"program": "penstock"`)
	t.Setenv("PENSTOCK_JSON", "perhaps")
	require.Contains(t, call(t, operator, "version").err, "PENSTOCK_JSON does not fit")
	t.Setenv("PENSTOCK_STAGE", "a,b")
	got := call(t, program(orders()), "run", "--json=false")
	require.Contains(t, got.err, `there is no stage "a"`)
	require.Contains(t, got.err, `there is no stage "b"`)
}

func TestTheHelpFlagIsNoVariable(t *testing.T) {
	t.Setenv("PENSTOCK_HELP", "true")
	require.Contains(t, ok(t, program(orders()), "topology"), "pipeline orders")
	require.Equal(t, "PENSTOCK_DATA_DIR", cmd.Variable("data-dir"))
}
