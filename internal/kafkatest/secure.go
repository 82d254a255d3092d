//go:build kafka

package kafkatest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The environment variables of the Kafka with TLS, SASL and ACLs.
const (
	secureBrokersVariable   = "PENSTOCK_TEST_SECURE_BROKERS"
	secureSASLVariable      = "PENSTOCK_TEST_SECURE_SASL_BROKERS"
	secureTLSVariable       = "PENSTOCK_TEST_SECURE_TLS_BROKERS"
	secureSecretsVariable   = "PENSTOCK_TEST_SECURE_SECRETS" //nolint:gosec // the name of a variable
	secureClusterIDVariable = "PENSTOCK_TEST_SECURE_CLUSTER_ID"
	secureRestartVariable   = "PENSTOCK_TEST_SECURE_RESTART_COMMAND"
)

// Secure is a Kafka whose clients have to authenticate and need rights: none
// but "client" has any, and that has all.
type Secure struct {
	// Brokers are open to all, with all rights: to set a test up, and to look
	// at what came of it.
	Brokers []string
	// SASL take TLS with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER.
	SASL []string
	// TLS take TLS with a client certificate. Whom they know is User:CN=….
	TLS []string

	User, Password string          // of PLAIN and SCRAM
	CA             *x509.CertPool  // signed what the brokers show, at 127.0.0.1
	Certificate    tls.Certificate // of the client
}

// SecureKafka returns the Kafka with TLS, SASL and ACLs. It fails the test where
// there is none, or another one.
func SecureKafka(t testing.TB) *Secure {
	t.Helper()
	s := &Secure{
		Brokers: strings.Split(variable(t, secureBrokersVariable), ","),
		SASL:    strings.Split(variable(t, secureSASLVariable), ","),
		TLS:     strings.Split(variable(t, secureTLSVariable), ","),
		User:    "client",
		CA:      x509.NewCertPool(),
	}
	want := identity{clusterID: variable(t, secureClusterIDVariable), version: variable(t, versionVariable)}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	if err := verify(ctx, s.Brokers, want); err != nil {
		t.Fatalf("tests need the secure Kafka that was started for them: %v", err)
	}
	if err := s.read(variable(t, secureSecretsVariable)); err != nil {
		t.Fatalf("read the secrets of the secure Kafka: %v", err)
	}
	return s
}

func (s *Secure) read(secrets string) error {
	password, err := os.ReadFile(filepath.Join(secrets, "password"))
	if err != nil {
		return err
	}
	s.Password = string(password)
	ca, err := os.ReadFile(filepath.Join(secrets, "ca.pem"))
	if err != nil {
		return err
	}
	if !s.CA.AppendCertsFromPEM(ca) {
		return fmt.Errorf("no certificate in %s/ca.pem", secrets)
	}
	s.Certificate, err = tls.LoadX509KeyPair(filepath.Join(secrets, "client.pem"), filepath.Join(secrets, "client.key"))
	return err
}

// Token makes a token of OAUTHBEARER for a user of any name.
func (s *Secure) Token(user string, expires time.Time) string {
	part := func(format string, args ...any) string {
		return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, format, args...))
	}
	return part(`{"alg":"none"}`) + "." +
		part(`{"sub":%q,"iat":%d,"exp":%d,"jti":%q}`, user, time.Now().Unix()-60, expires.Unix(), rand.Text()) + "."
}

// Topic is as the function of that name, on this Kafka.
func (s *Secure) Topic(t testing.TB, partitions int, configs ...string) string {
	t.Helper()
	return topicOn(t, s.Brokers, partitions, configs)
}

// Client returns a client with all rights, closed when the test ends.
func (s *Secure) Client(t testing.TB) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...))
	if err != nil {
		t.Fatalf("make a client: %v", err)
	}
	t.Cleanup(client.Close)
	return client
}

// RestartCommand is as the function of that name, for this Kafka.
func (s *Secure) RestartCommand(t testing.TB) []string {
	t.Helper()
	return strings.Fields(variable(t, secureRestartVariable))
}
