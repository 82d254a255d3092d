package registry

import (
	"context"
	"net/http"
	"net/http/httptest"

	"github.com/twmb/franz-go/pkg/sr"
)

// NewInProcess makes a client that calls the handler without a network, whose
// waits would not end in a synctest bubble.
func NewInProcess(h http.Handler) (*Client, error) {
	client := &http.Client{Transport: inProcess{h}}
	api, err := sr.NewClient(sr.HTTPClient(client))
	return &Client{api: api, timeout: DefaultTimeout, http: client}, err
}

type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// SetCompatibility sets a subject's rule, which Apicurio has none of at first.
func (c *Client) SetCompatibility(ctx context.Context, subject, level string) error {
	var rule sr.CompatibilityLevel
	if err := rule.UnmarshalText([]byte(level)); err != nil {
		return err
	}
	return c.api.SetCompatibility(ctx, sr.SetCompatibility{Level: rule}, subject)[0].Err
}
