// Package registry is a client of schema registries that speak Confluent's API,
// as Confluent's own, Apicurio, Karapace and Redpanda's do.
//
// A [Client] is a schemas.Registry: it serves codecs, and the commands that
// register, check and list schemas.
package registry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"golang.org/x/sync/singleflight"

	"github.com/penstock/penstock/schemas"
)

// Config says where the registry is and how to reach it.
type Config struct {
	// URLs are the registry's addresses, as http://127.0.0.1:8081, or
	// https://registry/apis/ccompat/v7 for Apicurio. The next is tried when one
	// cannot be reached. A user and a password may stand in the first, as in
	// https://user:password@registry. At least one is needed.
	URLs []string

	// User and Password are for basic authentication. Default to those of the
	// first URL, else to none.
	User, Password string

	// CAFile has the certificates, in PEM, of who may sign the registry's. Defaults
	// to those of the system.
	CAFile string

	// CertFile and KeyFile are the client's own certificate and its key, in PEM.
	// Default to none.
	CertFile, KeyFile string

	// Timeout bounds each request. Defaults to 5 s.
	Timeout time.Duration
}

// DefaultTimeout is the default of Config.Timeout.
const DefaultTimeout = 5 * time.Second

// Client is a schema registry. It keeps each schema that it looked up, as a
// schema of an id never changes. It is safe for concurrent use.
type Client struct {
	api     *sr.Client
	where   string // the addresses, without secrets
	timeout time.Duration
	http    *http.Client

	flights singleflight.Group
	cache   cache
}

var _ schemas.Registry = (*Client)(nil)

// New makes a client. It does not connect. An error says what is wrong with the
// configuration, and shows no secret.
func New(c Config) (*Client, error) {
	urls, err := addresses(&c)
	if err != nil {
		return nil, err
	}
	secure, err := tlsConfig(c)
	if err != nil {
		return nil, err
	}
	if c.Timeout < 0 {
		return nil, fmt.Errorf("schema registry: the timeout is %s", c.Timeout)
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	client := &http.Client{Timeout: c.Timeout, Transport: &bounded{next: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		TLSClientConfig:       secure,
		TLSHandshakeTimeout:   c.Timeout,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       time.Minute,
		ResponseHeaderTimeout: c.Timeout,
	}}}
	options := []sr.ClientOpt{sr.HTTPClient(client), sr.URLs(urls...), sr.UserAgent("penstock")}
	if c.User != "" || c.Password != "" {
		options = append(options, sr.BasicAuth(c.User, c.Password))
	}
	api, err := sr.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("schema registry: %w", err)
	}
	return &Client{api: api, where: strings.Join(urls, ", "), timeout: c.Timeout, http: client}, nil
}

// Close ends connections that nobody uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// String is where the registry is, without secrets.
func (c *Client) String() string { return c.where }

// addresses returns the URLs without user and password, which it moves to the
// configuration.
func addresses(c *Config) ([]string, error) {
	if len(c.URLs) == 0 {
		return nil, errors.New("schema registry: no URL is given")
	}
	urls := make([]string, len(c.URLs))
	for i, text := range c.URLs {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil { // the error repeats the text, and that may hold a password
			return nil, fmt.Errorf("schema registry: URL %d cannot be read: write it as http://127.0.0.1:8081", i+1)
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("schema registry: URL %d, of host %q, does not begin with http:// or https:// and a host", i+1, u.Host)
		}
		if u.User != nil {
			password, _ := u.User.Password()
			if i > 0 && (u.User.Username() != c.User || password != c.Password) {
				return nil, fmt.Errorf("schema registry: URL %d has another user or password than the first: one is used for all", i+1)
			}
			if c.User == "" && c.Password == "" {
				c.User, c.Password = u.User.Username(), password
			}
			u.User = nil
		}
		urls[i] = u.String()
	}
	return urls, nil
}

func tlsConfig(c Config) (*tls.Config, error) {
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("schema registry: read the CA file: %w", err)
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("schema registry: %s has no certificate in PEM", c.CAFile)
		}
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return nil, errors.New("schema registry: a client certificate and its key are given together, or not at all")
	}
	if c.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("schema registry: read the client certificate: %w", err)
		}
		secure.Certificates = []tls.Certificate{pair}
	}
	return secure, nil
}
