package registry_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/schemas/registry"
)

func newClient(t *testing.T, c registry.Config) *registry.Client {
	t.Helper()
	client, err := registry.New(c)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func newFake(t *testing.T, options ...srfake.Option) *srfake.Registry {
	t.Helper()
	fake := srfake.New(options...)
	t.Cleanup(fake.Close)
	return fake
}

var text = schemas.Schema{Type: schemas.SchemaAvro, Text: `"string"`}

func TestSchemaIsAskedForOnce(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	fake.SeedSchema("s", 1, 5, sr.Schema{Schema: text.Text})
	var requests atomic.Int32
	arrived, release := make(chan struct{}), make(chan struct{})
	fake.Intercept(func(http.ResponseWriter, *http.Request) bool {
		if requests.Add(1) == 1 {
			close(arrived)
		}
		<-release
		return false
	})
	client := newClient(t, registry.Config{URLs: []string{fake.URL()}})

	// The first caller goes; those who wait with it get the answer all the same.
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := client.Schema(ctx, 5)
		first <- err
	}()
	<-arrived
	var others sync.WaitGroup
	for range 10 {
		others.Go(func() {
			got, err := client.Schema(t.Context(), 5)
			if err != nil || got.Text != text.Text {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	cancel()
	err := <-first
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, schemas.ErrUnavailable)
	close(release)
	others.Wait()
	_, err = client.Schema(t.Context(), 5)
	require.NoError(t, err)
	require.EqualValues(t, 1, requests.Load())
}

// That there is no schema is an answer, remembered for a while. It may come later.
func TestUnknownSchemaIsRememberedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := srfake.NewRegistry()
		requests := 0
		fake.Intercept(func(http.ResponseWriter, *http.Request) bool { requests++; return false })
		client, err := registry.NewInProcess(fake.Handler())
		require.NoError(t, err)
		for range 3 {
			_, err := client.Schema(t.Context(), 5)
			require.ErrorIs(t, err, schemas.ErrUnknownSchema)
			require.NotErrorIs(t, err, schemas.ErrUnavailable)
			require.ErrorContains(t, err, "ask for schema 5 of the schema registry")
		}
		require.Equal(t, 1, requests)
		fake.SeedSchema("s", 1, 5, sr.Schema{Schema: text.Text})
		time.Sleep(11 * time.Second) //nolint:forbidigo // the bubble's clock
		_, err = client.Schema(t.Context(), 5)
		require.NoError(t, err)
	})
}

// All that is no answer of a registry leaves open whether there is a schema.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	answers := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	for name, handler := range map[string]http.Handler{
		"error":       answers(http.StatusInternalServerError, "{}"),
		"busy":        answers(http.StatusTooManyRequests, ""),
		"no right":    answers(http.StatusUnauthorized, `{"error_code":401}`),
		"another 404": answers(http.StatusNotFound, "no such page"),
		"another 200": answers(http.StatusOK, "<html>"),
		"endless":     answers(http.StatusOK, `{"schema":"`+strings.Repeat("x", 9<<20)),
		"never": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // a server sees that a client left when it has its request
			<-r.Context().Done()
		}),
		"hangs up":      http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"long and loud": answers(http.StatusBadGateway, strings.Repeat("x", 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			c := registry.Config{URLs: []string{server.URL}}
			if name == "never" {
				c.Timeout = 50 * time.Millisecond
			}
			client := newClient(t, c)
			_, err := client.Schema(t.Context(), 1)
			require.ErrorIs(t, err, schemas.ErrUnavailable)
			require.Less(t, len(err.Error()), 2000)
			_, err = client.Register(t.Context(), "s", text)
			require.ErrorIs(t, err, schemas.ErrUnavailable)
			_, err = client.LookUp(t.Context(), "s", text)
			require.ErrorIs(t, err, schemas.ErrUnavailable)
			_, err = client.Check(t.Context(), "s", text)
			require.ErrorIs(t, err, schemas.ErrUnavailable)
			_, err = client.List(t.Context())
			require.ErrorIs(t, err, schemas.ErrUnavailable)
		})
	}
}

func TestTheNextAddressIsTried(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	client := newClient(t, registry.Config{URLs: []string{"http://127.0.0.1:1", fake.URL()}})
	_, err := client.Register(t.Context(), "s", text)
	require.NoError(t, err)
}

func TestBasicAuthentication(t *testing.T) {
	t.Parallel()
	fake := newFake(t, srfake.WithAuth("Basic dXNlcjpwYXNz"))
	for name, c := range map[string]registry.Config{
		"fields": {URLs: []string{fake.URL()}, User: "user", Password: "pass"},
		"URL":    {URLs: []string{strings.Replace(fake.URL(), "http://", "http://user:pass@", 1)}},
	} {
		client := newClient(t, c)
		_, err := client.Register(t.Context(), "s", text)
		require.NoError(t, err, name)
		require.NotContains(t, client.String(), "pass")
	}
	client := newClient(t, registry.Config{URLs: []string{fake.URL()}, User: "user", Password: "wrong-secret"})
	_, err := client.Register(t.Context(), "s", text)
	require.ErrorIs(t, err, schemas.ErrUnavailable)
	require.ErrorIs(t, err, registry.ErrDenied)
	require.NotContains(t, err.Error(), "wrong-secret")
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(srfake.NewRegistry().Handler())
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	server.StartTLS()
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))

	_, err := newClient(t, registry.Config{URLs: []string{server.URL}, CAFile: file}).List(t.Context())
	require.NoError(t, err)
	_, err = newClient(t, registry.Config{URLs: []string{server.URL}}).List(t.Context())
	require.ErrorContains(t, err, "certificate")
	require.ErrorIs(t, err, schemas.ErrUnavailable)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	url := []string{"http://127.0.0.1:8081"}
	for want, c := range map[string]registry.Config{
		"no URL is given":             {},
		"URL 1, of host":              {URLs: []string{"ftp://host/secret"}},
		"URL 2 has another user":      {URLs: []string{"http://a", "http://u:secret@b"}},
		"URL 1 cannot be read":        {URLs: []string{"http://u:secret@a b\x7f"}},
		"the timeout is -1s":          {URLs: url, Timeout: -time.Second},
		"read the CA file":            {URLs: url, CAFile: "/no/such/file"},
		"no certificate in PEM":       {URLs: url, CAFile: empty},
		"given together":              {URLs: url, CertFile: empty},
		"read the client certificate": {URLs: url, CertFile: empty, KeyFile: empty},
	} {
		_, err := registry.New(c)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestCheckAsksTheRegistry(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	client := newClient(t, registry.Config{URLs: []string{fake.URL()}})
	verdict, err := client.Check(t.Context(), "s", text)
	require.NoError(t, err)
	require.Equal(t, registry.Verdict{Compatible: true, New: true}, verdict)

	id, err := client.Register(t.Context(), "s", text)
	require.NoError(t, err)
	verdict, err = client.Check(t.Context(), "s", text)
	require.NoError(t, err)
	require.Equal(t, registry.Verdict{Compatible: true, ID: id}, verdict)

	// One asks as the rule of the subject says. Not every registry knows that.
	for path, status := range map[string]int{"/compatibility/subjects/s/versions": http.StatusOK, "/compatibility/subjects/s/versions/latest": http.StatusMethodNotAllowed} {
		fake.ClearInterceptors()
		fake.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			switch {
			case r.URL.Path == path:
				_, _ = fmt.Fprint(w, `{"is_compatible":false,"messages":["reader type: INT"]}`)
			case strings.HasPrefix(r.URL.Path, "/compatibility/"):
				w.WriteHeader(status)
			default:
				return false
			}
			return true
		})
		verdict, err = client.Check(t.Context(), "s", schemas.Schema{Type: schemas.SchemaAvro, Text: `"int"`})
		require.NoError(t, err)
		require.Equal(t, registry.Verdict{Reasons: []string{"reader type: INT"}}, verdict)
	}
}

func TestRegisterTellsARefusal(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	fake.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprint(w, `{"error_code":409,"message":"it has no default"}`)
		return true
	})
	client := newClient(t, registry.Config{URLs: []string{fake.URL()}})
	_, err := client.Register(t.Context(), "s", text)
	require.ErrorIs(t, err, registry.ErrRefused)
	require.NotErrorIs(t, err, schemas.ErrUnavailable)
	require.ErrorContains(t, err, "register subject s of the schema registry "+fake.URL())
	require.ErrorContains(t, err, "it has no default")
}

func TestListTellsTheLatest(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	fake.SeedSchema("a", 1, 5, sr.Schema{Schema: `"string"`})
	fake.SeedSchema("a", 2, 6, sr.Schema{Schema: `"bytes"`})
	fake.SeedSchema("b", 1, 7, sr.Schema{Schema: `{}`, Type: sr.TypeJSON})
	client := newClient(t, registry.Config{URLs: []string{fake.URL()}})
	entries, err := client.List(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, []registry.Entry{
		{Subject: "a", Version: 2, ID: 6, Type: schemas.SchemaAvro},
		{Subject: "b", Version: 1, ID: 7, Type: schemas.SchemaJSON},
	}, entries)

	versions, err := client.ListVersions(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, append(entries, registry.Entry{Subject: "a", Version: 1, ID: 5, Type: schemas.SchemaAvro}), versions)
}
