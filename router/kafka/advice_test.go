package kafka_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/kafka"
)

// expired is a certificate for 127.0.0.1 that was valid once.
func expired(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// What answers need not be a Kafka at all, or one whose certificate is too old.
func TestAStrangerIsRecognised(t *testing.T) {
	t.Parallel()
	quiet := func(start func(*httptest.Server)) *httptest.Server {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		start(s)
		t.Cleanup(s.Close)
		return s
	}
	plain := quiet((*httptest.Server).Start)
	cert, pool := expired(t)
	old := quiet(func(s *httptest.Server) {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		s.StartTLS()
	})
	for _, c := range []struct {
		server *httptest.Server
		tls    *tls.Config
		says   string
	}{
		{old, nil, "does not speak as Kafka does"},
		{plain, &tls.Config{RootCAs: pool}, "the broker does not speak TLS at this port"},
		{old, &tls.Config{RootCAs: pool}, "the broker's certificate is not valid: renew it, or check this machine's clock"},
	} {
		addr := c.server.Listener.Addr().String()
		_, err := kafka.NewAdmin(within(t), kafka.Config{Brokers: []string{addr}, TLS: c.tls, RequestTimeout: patience / 2})
		require.ErrorContains(t, err, c.says)
		require.ErrorContains(t, err, addr)
	}
}
