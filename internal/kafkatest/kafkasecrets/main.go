// Command kafkasecrets makes what a Kafka with TLS and SASL needs, for tests
// only: in a folder that it makes, all of it new and valid for some years,
//
//	ca.pem                 the authority that signed the others
//	broker.pem             key and certificate of the broker, at 127.0.0.1
//	client.pem, client.key certificate and key of the client "client"
//	password               the password of the user "client"
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

func main() {
	dir := flag.String("dir", "", "`folder` to make")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintf(os.Stderr, "kafkasecrets: %v\n", err)
		os.Exit(1)
	}
}

// write makes the folder under its name when it is whole.
func write(dir string) error {
	if dir == "" {
		return errors.New("name the folder to make with -dir")
	}
	files, err := secrets()
	if err != nil {
		return err
	}
	half, err := os.MkdirTemp(filepath.Dir(dir), "secrets.")
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(half, name), content, 0o600); err != nil {
			return errors.Join(err, os.RemoveAll(half))
		}
	}
	return os.Rename(half, dir)
}

// secrets returns the contents of the files, by name.
func secrets() (map[string][]byte, error) {
	ca, err := newIdentity("penstock test authority", nil, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	if err != nil {
		return nil, err
	}
	broker, err := newIdentity("broker", ca, func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	if err != nil {
		return nil, err
	}
	client, err := newIdentity("client", ca, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"ca.pem":     ca.certPEM,
		"broker.pem": append(broker.keyPEM, broker.certPEM...),
		"client.pem": client.certPEM,
		"client.key": client.keyPEM,
		"password":   []byte(rand.Text()),
	}, nil
}

// identity is a certificate and its key.
type identity struct {
	cert            *x509.Certificate
	key             *ecdsa.PrivateKey
	certPEM, keyPEM []byte
}

// newIdentity makes an identity that an authority signs, and one without an
// authority itself.
func newIdentity(name string, authority *identity, adapt func(*x509.Certificate)) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key for %s: %w", name, err)
	}
	i := &identity{key: key, cert: &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(5, 0, 0),
	}}
	adapt(i.cert)
	if authority == nil {
		authority = i
	}
	der, err := x509.CreateCertificate(rand.Reader, i.cert, authority.cert, key.Public(), authority.key)
	if err != nil {
		return nil, fmt.Errorf("certify %s: %w", name, err)
	}
	if i.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("certify %s: %w", name, err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key of %s: %w", name, err)
	}
	i.certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	i.keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	return i, nil
}
