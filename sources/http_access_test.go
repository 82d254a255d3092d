package sources_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/webhook"
	"github.com/penstock/penstock/sources"
)

func TestHTTPAsksForAToken(t *testing.T) {
	t.Parallel()
	for given, status := range map[string]int{
		"": 401, "Bearer": 401, "Bearer ": 401, "Bearer wrong": 401, "Basic new": 401, "new": 401, "Bearer newer": 401,
		"Bearer new": 202, "bearer old": 202,
	} {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			var s store
			h, _ := accepting[order](t, &s, sources.Bearer("new", "old"))
			w, _ := post(t, h, `{}`, "Authorization", given)
			require.Equal(t, status, w.Code)
			if status == 401 {
				require.Equal(t, "Bearer", w.Header().Get("WWW-Authenticate"))
				require.Empty(t, s.got)
			}
		})
	}
}

func TestHTTPAsksForASignature(t *testing.T) {
	t.Parallel()
	const ours, others = "a secret of our own", "a secret of another"
	for name, c := range map[string]struct {
		secret string
		body   string
		age    time.Duration
		status int
	}{
		"signed":         {ours, `{"customer":"ann"}`, 0, 202},
		"another secret": {others, `{"customer":"ann"}`, 0, 401},
		"another body":   {ours, `{"customer":"bob"}`, 0, 401},
		"old":            {ours, `{"customer":"ann"}`, 6 * time.Minute, 401},
		"of the future":  {ours, `{"customer":"ann"}`, -6 * time.Minute, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s store
			h, _ := accepting[order](t, &s, sources.Signed("an older secret of ours", ours))
			secret, err := webhook.ParseSecret(c.secret)
			require.NoError(t, err)
			headers := http.Header{}
			webhook.Sign(headers, "msg-1", time.Now().Add(-c.age), []byte(`{"customer":"ann"}`), secret)
			// What is not signed must not name the job.
			list := []string{"Idempotency-Key", "chosen by somebody on the way"}
			for name := range headers {
				list = append(list, name, headers.Get(name))
			}
			w, a := post(t, h, c.body, list...)
			require.Equal(t, c.status, w.Code)
			if c.status == 202 {
				require.Equal(t, "msg-1", a.ID)
			} else {
				require.Empty(t, s.got)
			}
		})
	}
}
