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
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte(password+"\n"), 0o600))
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

func TestSecretsAreNeverPrinted(t *testing.T) {
	brokers, ca, cert, key := secure(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(file, []byte(password), 0o600))
	secureTLS := []string{"--tls-ca", ca, "--tls-cert", cert, "--tls-key", key}
	with := func(args ...string) []string { return append([]string{brokers}, args...) }
	user := []string{"--sasl-user", "nobody"}
	commands := [][]string{{"topics", "plan"}, {"poison", "ls"}, {"trigger", "placed", "--value", "{}"}}
	for i, args := range [][]string{
		with("--sasl-mechanism", "PLAIN"),                                                        // no user
		append(with("--sasl-mechanism", "NTLM"), user...),                                        // no such mechanism
		append(with("--sasl-mechanism", "PLAIN"), user...),                                       // no TLS, which the cluster wants
		append(append(with("--sasl-mechanism", "PLAIN"), user...), secureTLS...),                 // no such user
		append(append(with("--sasl-mechanism", "SCRAM-SHA-256"), user...), secureTLS...),         // no such user
		append(append(with("--sasl-mechanism", "SCRAM-SHA-512"), user...), secureTLS...),         // no such user
		append(with("--sasl-mechanism", "OAUTHBEARER", "--sasl-token-file", file), secureTLS...), // not offered
		with("--tls-ca", file), // a secret where a certificate belongs
		with("--tls-cert", file, "--tls-key", file),
		append(append(with("--sasl-mechanism", "PLAIN", "--sasl-password-file", file), user...), secureTLS...),
		append(with("--sasl-mechanism", "PLAIN", "--sasl-user", "cy", "--nonsense"), secureTLS...),
		{"--brokers", "127.0.0.1:1", "--sasl-mechanism", "PLAIN", "--sasl-user", "cy"}, // nobody there
	} {
		for _, command := range [][]string{{"run", "--log-level", "debug"}, commands[i%len(commands)]} {
			t.Setenv("PENSTOCK_SASL_PASSWORD", password)
			got := call(t, program(orders()), slices.Concat(command, args)...)
			require.NotEqual(t, cmd.ExitOK, got.code, "%v %v", command, args)
			require.NotEmpty(t, got.err)
			require.NotContains(t, got.out+got.err, password, "%v %v", command, args)
		}
	}
}

func TestASecretInTheClearIsWarnedOf(t *testing.T) {
	t.Setenv("PENSTOCK_SASL_PASSWORD", password)
	got := call(t, operator, "topics", "ls", "--brokers", "127.0.0.1:1", "--sasl-mechanism", "PLAIN", "--sasl-user", "cy")
	require.Contains(t, got.err, "use TLS too")
	got = call(t, operator, "topics", "ls", "--brokers", "127.0.0.1:1", "--sasl-mechanism", "SCRAM-SHA-512", "--sasl-user", "cy")
	require.NotContains(t, got.err, "use TLS too")
}
