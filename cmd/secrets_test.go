package cmd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/penstock/penstock/cmd"
)

// certificates writes an authority that signed a certificate for 127.0.0.1,
// and that certificate with its key, and returns their files.
func certificates(t testing.TB) (ca, cert, key string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return write("ca.pem", "CERTIFICATE", der), write("cert.pem", "CERTIFICATE", der), write("key.pem", "EC PRIVATE KEY", keyDER)
}

const password = "correct-horse-battery"

func secretFile(t testing.TB, secret string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	return file
}

// secure is a cluster that wants mutual TLS and SASL from the user ada.
func secure(t testing.TB) (brokers, ca, cert, key string) {
	t.Helper()
	ca, cert, key = certificates(t)
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	text, err := os.ReadFile(ca)
	require.NoError(t, err)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(text)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders.check.poison"),
		kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted, MinVersion: tls.VersionTLS12}),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "ada", password), kfake.Superuser("SCRAM-SHA-512", "bob", password), kfake.Superuser("PLAIN", "cy", password))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	return "--brokers=" + strings.Join(cluster.ListenAddrs(), ","), ca, cert, key
}

func TestTLSAndSASLReachASecureCluster(t *testing.T) {
	brokers, ca, cert, key := secure(t)
	file := secretFile(t, password)
	mutual := []string{"topics", "ls", brokers, "--tls-ca", ca, "--tls-cert", cert, "--tls-key", key}
	for user, mechanism := range map[string]string{"ada": "scram-sha-256", "bob": "SCRAM-SHA-512", "cy": "PLAIN"} {
		out := ok(t, operator, append(mutual, "--sasl-mechanism", mechanism, "--sasl-user", user, "--sasl-password-file", file)...)
		require.Contains(t, out, "orders.check.poison")
	}
	t.Setenv("PENSTOCK_TLS_CA", ca)
	t.Setenv("PENSTOCK_TLS_CERT", cert)
	t.Setenv("PENSTOCK_TLS_KEY", key)
	t.Setenv("PENSTOCK_SASL_MECHANISM", "SCRAM-SHA-256")
	t.Setenv("PENSTOCK_SASL_USER", "ada")
	t.Setenv("PENSTOCK_SASL_PASSWORD", password)
	require.Contains(t, ok(t, operator, "topics", "ls", brokers), "orders.check.poison")
	require.Contains(t, ok(t, operator, "poison", "ls", brokers), "Nothing is poisoned")
}

func TestWhatASecureClusterRefusesIsTold(t *testing.T) {
	t.Parallel()
	brokers, ca, cert, key := secure(t)
	otherCA, otherCert, otherKey := certificates(t)
	mutual := []string{"--tls-ca", ca, "--tls-cert", cert, "--tls-key", key}
	ada := []string{"--sasl-mechanism", "SCRAM-SHA-256", "--sasl-user", "ada", "--sasl-password-file", secretFile(t, "wrong")}
	for _, c := range []struct {
		args []string
		says string
	}{
		{slices.Concat(mutual, ada), "SASL"},
		{slices.Concat([]string{"--tls-ca", otherCA, "--tls-cert", cert, "--tls-key", key}, ada), "authority"},
		{slices.Concat([]string{"--tls-ca", ca, "--tls-cert", otherCert, "--tls-key", otherKey}, ada), "certificate"},
		{slices.Concat(mutual, ada, []string{"--tls-server-name", "kafka-1"}), "certificate"},
		{ada, "TLS"},
	} {
		got := call(t, operator, slices.Concat([]string{"topics", "ls", brokers}, c.args)...)
		require.Equal(t, cmd.ExitFailed, got.code)
		require.Contains(t, got.err, c.says)
		require.Equal(t, 1, strings.Count(got.err, "\n"), "one sentence: %s", got.err)
		require.NotContains(t, got.err, "run out of available brokers")
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	brokers, ca, cert, key := secure(t)
	file := secretFile(t, password)
	mutual := []string{"--tls-ca", ca, "--tls-cert", cert, "--tls-key", key}
	as := func(mechanism, user string) []string {
		return []string{"--sasl-mechanism", mechanism, "--sasl-user", user, "--sasl-password-file", file}
	}
	commands := [][]string{{"topics", "plan"}, {"poison", "ls"}, {"trigger", "placed", "--value", "{}"}}
	for i, args := range [][]string{
		as("NTLM", "cy"),  // no such mechanism
		as("PLAIN", "cy"), // no TLS, which the cluster wants
		append(mutual, as("PLAIN", "nobody")...),
		append(mutual, as("SCRAM-SHA-256", "nobody")...),
		append(mutual, as("SCRAM-SHA-512", "ada")...), // of the other mechanism
		append(mutual, "--sasl-mechanism", "OAUTHBEARER", "--sasl-token-file", file), // not offered
		append(mutual, "--sasl-mechanism", "PLAIN", "--sasl-password-file", file),    // no user
		append(mutual, append(as("PLAIN", "cy"), "--sasl-token-file", file)...),
		append(mutual, append(as("PLAIN", "cy"), "--nonsense")...),
		{"--tls-ca", file}, // a secret where a certificate belongs
		{"--tls-cert", file, "--tls-key", file},
	} {
		for _, command := range [][]string{{"run", "--log-level", "debug"}, commands[i%len(commands)]} {
			got := call(t, program(orders()), slices.Concat(command, []string{brokers}, args)...)
			require.NotEqual(t, cmd.ExitOK, got.code, "%v %v", command, args)
			require.NotEmpty(t, got.err)
			require.NotContains(t, got.out+got.err, password, "%v %v", command, args)
		}
	}
}

func TestASecretOfTheEnvironmentIsNeverPrinted(t *testing.T) {
	t.Setenv("PENSTOCK_SASL_PASSWORD", password)
	for _, args := range [][]string{{}, {"--sasl-mechanism", "PLAIN"}, {"--sasl-mechanism", "PLAIN", "--sasl-user", "cy"}, {"--sasl-mechanism", "PLAIN", "--sasl-user", "cy", "--sasl-password-file", "x"}} {
		got := call(t, program(orders()), slices.Concat([]string{"run", "--log-level", "debug", "--brokers", "127.0.0.1:1"}, args)...)
		require.NotEqual(t, cmd.ExitOK, got.code)
		require.NotContains(t, got.out+got.err, password, "%v", args)
	}
}

func TestASecretInTheClearIsWarnedOf(t *testing.T) {
	t.Setenv("PENSTOCK_SASL_PASSWORD", password)
	got := call(t, operator, "topics", "ls", "--brokers", "127.0.0.1:1", "--sasl-mechanism", "PLAIN", "--sasl-user", "cy")
	require.Contains(t, got.err, "use TLS too")
	got = call(t, operator, "topics", "ls", "--brokers", "127.0.0.1:1", "--sasl-mechanism", "SCRAM-SHA-512", "--sasl-user", "cy")
	require.NotContains(t, got.err, "use TLS too")
}
