package cmd_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
)

func TestContradictionsAreWrongUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	secret, empty, missing := file("secret", "s3cr3t\n"), file("empty", "\n"), filepath.Join(dir, "missing")
	remote := []string{"--brokers", "127.0.0.1:1"}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--brokers", ""}, "--brokers is empty"},
		{[]string{"--brokers", "kafka"}, `"kafka" is not host:port, as in kafka-1:9092`},
		{[]string{"--brokers", "a:1,:9092"}, `":9092" is not host:port`},
		{[]string{"--brokers", "a:99999"}, `"a:99999" is not host:port`},
		{append(remote, "--data-dir", "x"), "--brokers names a Kafka cluster and --data-dir the embedded broker's data"},
		{[]string{"--tls"}, "--tls is for a Kafka cluster"},
		{[]string{"--sasl-user", "u"}, "--sasl-user is for a Kafka cluster"},
		{append(remote, "--tls=false", "--tls-ca", secret), "--tls=false says no TLS, and another flag says how to do it"},
		{append(remote, "--tls-ca", missing), "no such file"},
		{append(remote, "--tls-ca", secret), "holds no certificate in PEM form"},
		{append(remote, "--tls-cert", secret), "give --tls-key too"},
		{append(remote, "--tls-key", secret), "give --tls-cert too"},
		{append(remote, "--tls-cert", secret, "--tls-key", secret), "make no client certificate"},
		{append(remote, "--sasl-mechanism", "NTLM"), "it is one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"},
		{append(remote, "--sasl-user", "u"), "--sasl-user says nothing without --sasl-mechanism"},
		{append(remote, "--sasl-mechanism", "plain"), "PLAIN needs a user: give --sasl-user"},
		{append(remote, "--sasl-mechanism", "plain", "--sasl-user", "u"), "set PENSTOCK_SASL_PASSWORD, or give --sasl-password-file"},
		{append(remote, "--sasl-mechanism", "plain", "--sasl-user", "u", "--sasl-password-file", missing), "no such file"},
		{append(remote, "--sasl-mechanism", "plain", "--sasl-user", "u", "--sasl-password-file", empty), "is empty"},
		{append(remote, "--sasl-mechanism", "plain", "--sasl-token-file", secret), "--sasl-token-file is for OAUTHBEARER, not for PLAIN"},
		{append(remote, "--sasl-mechanism", "oauthbearer"), "OAUTHBEARER needs a token: give --sasl-token-file"},
		{append(remote, "--sasl-mechanism", "oauthbearer", "--sasl-token-file", missing), "no such file"},
		{append(remote, "--sasl-mechanism", "oauthbearer", "--sasl-token-file", secret, "--sasl-user", "u"), "--sasl-user is not for OAUTHBEARER"},
		{append(remote, "--partitions", "3"), `--partitions is for the topics that a run makes on the embedded broker`},
	} {
		got := call(t, program(orders()), append([]string{"run"}, c.args...)...)
		require.Equal(t, cmd.ExitWrongUse, got.code, "%v: %s", c.args, got.err)
		require.Contains(t, got.err, c.says, "%v", c.args)
		require.NotContains(t, got.err, "s3cr3t")
	}
}

func TestThePasswordIsGivenOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte("one"), 0o600))
	t.Setenv("PENSTOCK_SASL_PASSWORD", "two")
	got := call(t, operator, "topics", "ls", "--brokers", "127.0.0.1:1", "--sasl-mechanism", "PLAIN", "--sasl-user", "u", "--sasl-password-file", file)
	require.Equal(t, cmd.ExitWrongUse, got.code)
	require.Contains(t, got.err, "the password is given twice, by PENSTOCK_SASL_PASSWORD and by --sasl-password-file")
}
