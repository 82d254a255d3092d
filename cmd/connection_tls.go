package cmd

import (
	"crypto/tls"
	"crypto/x509"
	"slices"

	"github.com/spf13/pflag"
)

// The flags for TLS.
const (
	tlsFlag       = "tls"
	tlsCAFlag     = "tls-ca"
	tlsCertFlag   = "tls-cert"
	tlsKeyFlag    = "tls-key"
	tlsServerFlag = "tls-server-name"
)

func tlsNames() []string {
	return []string{tlsFlag, tlsCAFlag, tlsCertFlag, tlsKeyFlag, tlsServerFlag}
}

// tlsFlags are the flags for TLS. Each of the others means --tls.
type tlsFlags struct {
	on            bool
	ca, cert, key string
	serverName    string
}

func (t *tlsFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&t.on, tlsFlag, false, "connect by TLS; each other --tls- flag means it too")
	flags.StringVar(&t.ca, tlsCAFlag, "", "`file` of the certificate authorities to trust, PEM (default: those of the system)")
	flags.StringVar(&t.cert, tlsCertFlag, "", "`file` of the client's certificate for mutual TLS, PEM")
	flags.StringVar(&t.key, tlsKeyFlag, "", "`file` of the client certificate's key, PEM")
	flags.StringVar(&t.serverName, tlsServerFlag, "", "`name` that the brokers' certificates have to carry (default: the host of each)")
}

func (t *tlsFlags) wanted(flags *pflag.FlagSet) bool {
	return t.on || slices.ContainsFunc(tlsNames()[1:], flags.Changed)
}

// config returns nil where TLS is not asked for.
func (t *tlsFlags) config(flags *pflag.FlagSet) (*tls.Config, error) {
	if !t.wanted(flags) {
		return nil, nil //nolint:nilnil // no TLS is no error
	}
	if flags.Changed(tlsFlag) && !t.on {
		return nil, wrongUse("%s=false says no TLS, and another flag says how to do it: leave one of them out", given(flags, tlsFlag))
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.serverName}
	if t.ca != "" {
		pem, err := readBounded(t.ca)
		if err != nil {
			return nil, wrongUse("%s: %w", given(flags, tlsCAFlag), err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, wrongUse("%s: %s holds no certificate in PEM form", given(flags, tlsCAFlag), t.ca)
		}
	}
	switch {
	case t.cert == "" && t.key == "":
		return c, nil
	case t.key == "":
		return nil, wrongUse("%s needs the certificate's key: give --%s too", given(flags, tlsCertFlag), tlsKeyFlag)
	case t.cert == "":
		return nil, wrongUse("%s needs the key's certificate: give --%s too", given(flags, tlsKeyFlag), tlsCertFlag)
	}
	pair, err := tls.LoadX509KeyPair(t.cert, t.key)
	if err != nil {
		return nil, wrongUse("%s and %s make no client certificate: %w", given(flags, tlsCertFlag), given(flags, tlsKeyFlag), err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}
