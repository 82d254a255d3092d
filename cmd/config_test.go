package cmd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/pipeline"
)

type inForce struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
}

// settings asks a program for what is in force, by name.
func settings(t testing.TB, p cmd.Program, args ...string) map[string]inForce {
	t.Helper()
	var list []inForce
	require.NoError(t, json.Unmarshal([]byte(ok(t, p, append([]string{"config", "--json"}, args...)...)), &list))
	byName := map[string]inForce{}
	for _, s := range list {
		byName[s.Name] = s
	}
	return byName
}

func configFile(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "penstock.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestAFlagWinsOverTheEnvironmentAndThatOverTheFile(t *testing.T) {
	file := configFile(t, "# of production\nbrokers: [kafka-1:9092, 'kafka-2:9092']\ncompression: zstd\nstop-timeout: 1m\nlog-level: debug\nformat: json\n")
	t.Setenv("PENSTOCK_CONFIG", file)
	t.Setenv("PENSTOCK_STOP_TIMEOUT", "2m")
	t.Setenv("PENSTOCK_LOG_LEVEL", "warn")
	got := settings(t, program(orders()), "--log-level", "error")
	require.Equal(t, inForce{"brokers", "kafka-1:9092,kafka-2:9092", file}, got["brokers"])
	require.Equal(t, inForce{"compression", "zstd", file}, got["compression"])
	require.Equal(t, inForce{"stop-timeout", "2m0s", "environment"}, got["stop-timeout"])
	require.Equal(t, inForce{"log-level", "error", "flag"}, got["log-level"])
	require.Equal(t, inForce{"commit-interval", "500ms", "default"}, got["commit-interval"])
	require.Contains(t, ok(t, program(orders()), "config"), "commit-interval")
	require.JSONEq(t, ok(t, program(orders()), "topology", "--format", "json"), ok(t, program(orders()), "topology"), "another command has its settings from it")
}

func TestAFileOfSettingsThatIsWrongIsToldWhere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"brokes: [a:1]\n":                  ":1: there is no flag --brokes",
		"\n\ncompression: best\n":          "penstock.yaml:3: compression: invalid argument",
		"stop-timeout: [1m, 2m]\n":         ":1: stop-timeout: it has one value, not a list",
		"brokers: {a: b}\n":                ":1: brokers: it is no plain value, nor a list of them",
		"- a\n":                            ":1: settings are lines of name: value",
		"brokers: [a\n":                    "did not find expected",
		"config: other.yaml\n":             ":1: there is no flag --config",
		"brokers: kafka-1\nrack: [ [] ]\n": ":2: rack: its list has something in it",
	} {
		got := call(t, program(orders()), "config", "--config", configFile(t, text))
		require.Equal(t, cmd.ExitWrongUse, got.code, text)
		require.Contains(t, got.err, want)
	}
	got := call(t, program(orders()), "config", "--config", "there-is-none.yaml")
	require.Equal(t, cmd.ExitWrongUse, got.code)
	require.Contains(t, got.err, "there-is-none.yaml: no such file")
	got = call(t, operator, "topics", "ls", "--config", configFile(t, "brokers: [kafka-1]\n"))
	require.Contains(t, got.err, `brokers in `)
	require.Contains(t, got.err, `"kafka-1" is not host:port`)
	ok(t, program(orders()), "config", "--config", configFile(t, "# nothing yet\n"))
}

func TestSecretsAreNotShown(t *testing.T) {
	const secret = "open-sesame"
	t.Setenv("PENSTOCK_SASL_PASSWORD", secret)
	p := program(orders())
	p.Flags = func(f *pflag.FlagSet) { f.String("bank-token", "", "of the bank") }
	p.Pipelines = func() ([]*pipeline.Pipeline, error) { return []*pipeline.Pipeline{orders()}, nil }
	out := ok(t, p, "config", "--bank-token", secret, "--sasl-token-file", "token.txt")
	require.NotContains(t, out, secret)
	require.Contains(t, out, "token.txt", "a file's name is none")
	require.NotContains(t, ok(t, p, "config", "--trace-endpoint", "http://us:"+secret+"@127.0.0.1"), secret)
	got := settings(t, p, "--bank-token", secret)
	require.Equal(t, inForce{"bank-token", "(hidden)", "flag"}, got["bank-token"])
	require.Equal(t, inForce{"sasl-password", "(hidden)", "environment"}, got["sasl-password"])
}
