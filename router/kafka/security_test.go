package kafka_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/penstock/penstock/router/kafka"
)

const password = "open-sesame"

// selfSigned returns a certificate for 127.0.0.1 and the pool that trusts it.
func selfSigned(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// requireFlow moves a message with everything that connects: Publisher,
// Subscriber and its producer, ReadTopic.
func requireFlow(t testing.TB, cfg kafka.Config) {
	t.Helper()
	pcfg := publisherTo(nil)
	pcfg.Config = cfg
	require.NoError(t, newPublisher(t, pcfg).Publish("in", message.NewMessage("id", []byte("moved"))))
	scfg := quick(nil)
	scfg.Config = cfg
	scfg.SessionTimeout = 10 * time.Second // what a broker allows by default begins at 6
	join(t, scfg, copied(1))
	until(t, func() bool {
		n := 0
		require.NoError(t, kafka.ReadTopic(within(t), cfg, "out", func(*kafka.Record) error {
			n++
			return nil
		}))
		return n == 1
	}, "nothing comes out")
}

func TestEverythingSpeaksTLS(t *testing.T) {
	t.Parallel()
	cert, pool := selfSigned(t)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in", "out"), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	requireFlow(t, kafka.Config{Brokers: c.ListenAddrs(), TLS: &tls.Config{RootCAs: pool}})

	_, err = kafka.NewAdmin(within(t), kafka.Config{Brokers: c.ListenAddrs(), TLS: &tls.Config{}})
	require.ErrorContains(t, err, "certificate signed by unknown authority")
}

func TestEverythingAuthenticates(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []kafka.Mechanism{kafka.Plain, kafka.ScramSHA256, kafka.ScramSHA512} {
		t.Run(string(mechanism), func(t *testing.T) {
			t.Parallel()
			c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in", "out"),
				kfake.EnableSASL(), kfake.Superuser(string(mechanism), "ali", password))
			require.NoError(t, err)
			t.Cleanup(c.Close)
			cfg := kafka.Config{Brokers: c.ListenAddrs(), SASL: kafka.SASL{Mechanism: mechanism, User: "ali", Password: password}}
			requireFlow(t, cfg)

			cfg.SASL.Password = "wrong-" + password
			_, err = kafka.NewAdmin(within(t), cfg)
			require.ErrorContains(t, err, c.ListenAddrs()[0], "it says where")
			require.ErrorContains(t, err, "SASL "+string(mechanism)+` as "ali"`)
			require.NotContains(t, err.Error(), password)
		})
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	s := kafka.SASL{Mechanism: kafka.Plain, User: "ali", Password: password}
	for _, shown := range []string{
		s.String(), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), s.LogValue().String(),
		fmt.Sprintf("%+v", kafka.Config{SASL: s}), fmt.Sprintf("%#v", kafka.Config{SASL: s}),
	} {
		require.NotContains(t, shown, password)
		require.Contains(t, shown, "ali")
	}
}

func TestWrongSecurityIsRefusedBeforeConnecting(t *testing.T) {
	t.Parallel()
	for says, s := range map[string]kafka.SASL{
		"needs a user and a password": {Mechanism: kafka.ScramSHA512, User: "ali"},
		"needs a source of tokens":    {Mechanism: kafka.OAuthBearer},
		`"NTLM" is not known`:         {Mechanism: "NTLM"},
	} {
		_, err := kafka.NewAdmin(t.Context(), kafka.Config{Brokers: []string{"127.0.0.1:1"}, SASL: s})
		require.ErrorContains(t, err, says)
	}
}
