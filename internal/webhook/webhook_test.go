package webhook_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/internal/webhook"
)

const maxAge = 5 * time.Minute

func secret(t require.TestingT, text string) webhook.Secret {
	s, err := webhook.ParseSecret(text)
	require.NoError(t, err)
	return s
}

// The example of the specification's reference implementations.
func TestSignIsThatOfTheSpecification(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	webhook.Sign(h, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`),
		secret(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
	require.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", h.Get(webhook.HeaderSignature))
}

func TestVerifyTakesWhatWasSignedAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[a-z0-9]{1,20}`).Draw(t, "id")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		now := time.Unix(rapid.Int64Range(1e9, 2e9).Draw(t, "now"), 0)
		ours, other := secret(t, "sixteen bytes or more"), secret(t, "another of sixteen bytes")
		h := http.Header{}
		webhook.Sign(h, id, now, body, ours)

		require.NoError(t, webhook.Verify(h, body, []webhook.Secret{other, ours}, now, maxAge))
		require.Error(t, webhook.Verify(h, body, []webhook.Secret{other}, now, maxAge), "another secret")
		require.Error(t, webhook.Verify(h, append(body, 'x'), []webhook.Secret{ours}, now, maxAge), "another body")
		require.NoError(t, webhook.Verify(h, body, []webhook.Secret{ours}, now.Add(maxAge), maxAge))
		require.Error(t, webhook.Verify(h, body, []webhook.Secret{ours}, now.Add(maxAge+time.Second), maxAge), "too old")
		require.Error(t, webhook.Verify(h, body, []webhook.Secret{ours}, now.Add(-maxAge-time.Second), maxAge), "of the future")
		for _, name := range []string{webhook.HeaderID, webhook.HeaderTimestamp, webhook.HeaderSignature} {
			changed := h.Clone()
			changed.Set(name, "1"+h.Get(name))
			require.Error(t, webhook.Verify(changed, body, []webhook.Secret{ours}, now, maxAge), "%s changed", name)
			changed.Del(name)
			require.Error(t, webhook.Verify(changed, body, []webhook.Secret{ours}, now, maxAge), "%s missing", name)
		}
	})
}

// Who changes a secret signs with both for a while.
func TestVerifyLooksAtAllSignatures(t *testing.T) {
	t.Parallel()
	s, now := secret(t, strings.Repeat("x", 32)), time.Unix(1e9, 0)
	h := http.Header{}
	webhook.Sign(h, "1", now, nil, s)
	h.Set(webhook.HeaderSignature, "v1,AAAA v2,??? nonsense "+h.Get(webhook.HeaderSignature))
	require.NoError(t, webhook.Verify(h, nil, []webhook.Secret{s}, now, maxAge))
}

func TestParseSecretRefusesAndNeverRepeats(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "short", "whsec_", "whsec_c2hvcnQ=", "whsec_no base64!"} {
		_, err := webhook.ParseSecret(text)
		require.Error(t, err, "%q", text)
		if text != "" {
			require.NotContains(t, err.Error(), strings.TrimPrefix(text, "whsec_")+"\"")
		}
	}
	s := secret(t, "a secret of some length")
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", s, s, s, s), "length")
}
