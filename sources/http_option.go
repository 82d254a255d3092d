package sources

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/penstock/penstock/internal/webhook"
)

// HTTPOption is an option of [HTTP].
type HTTPOption func(*httpSettings)

type httpSettings struct {
	maxBody     int64
	maxRequests int
	timeout     time.Duration
	strict      bool
	bearer      bool
	tokens      [][sha256.Size]byte
	signed      bool
	secrets     []webhook.Secret
	maxAge      time.Duration
	log         *slog.Logger
	wrong       []error
}

func defaultHTTPSettings() httpSettings {
	return httpSettings{
		maxBody: 1 << 20, maxRequests: 256, timeout: 10 * time.Second, maxAge: 5 * time.Minute, log: slog.Default(),
	}
}

// MaxBody is the largest body, in bytes; a larger one is refused with 413. Defaults
// to 1 MiB.
func MaxBody(bytes int64) HTTPOption {
	return func(s *httpSettings) { s.maxBody = bytes }
}

// MaxRequests is how many requests may be under way at once; more are refused with
// 503. Each may hold a body. Defaults to 256.
func MaxRequests(n int) HTTPOption {
	return func(s *httpSettings) { s.maxRequests = n }
}

// RequestTimeout is how long a request may take, from its header to its answer: a
// body that comes too slowly is refused with 408, and what Kafka does not confirm in
// time with 503. Defaults to 10 s.
func RequestTimeout(d time.Duration) HTTPOption {
	return func(s *httpSettings) { s.timeout = d }
}

// Strict refuses a body with a field that the type does not have, at any depth.
// Defaults to passing over it.
func Strict() HTTPOption {
	return func(s *httpSettings) { s.strict = true }
}

// Bearer asks for one of the tokens, as in "Authorization: Bearer …"; other
// requests are refused with 401. Several are for changing them. Defaults to letting
// everybody in who reaches the address.
func Bearer(tokens ...string) HTTPOption {
	return func(s *httpSettings) {
		s.bearer = true
		for _, t := range tokens {
			if t == "" {
				s.wrong = append(s.wrong, errors.New("a token of Bearer is empty; is the variable set that it comes from?"))
				continue
			}
			s.tokens = append(s.tokens, sha256.Sum256([]byte(t)))
		}
	}
}

// Signed asks for a signature with one of the secrets, in the way of Standard
// Webhooks: webhook-signature is "v1," and the HMAC-SHA256, in base64, of
// webhook-id, webhook-timestamp and the body with dots in between. A secret is
// "whsec_" and its bytes in base64, or any other text, which is taken as it is; it
// has at least 16 bytes. Several are for changing them. Requests without, or signed
// more than 5 minutes ago or hence, are refused with 401; one that is sent again
// within that time has the same id, and so makes the same job. Defaults to no
// signature.
func Signed(secrets ...string) HTTPOption {
	return func(s *httpSettings) {
		s.signed = true
		for i, text := range secrets {
			secret, err := webhook.ParseSecret(text)
			if err != nil {
				s.wrong = append(s.wrong, fmt.Errorf("secret %d of Signed: %w", i+1, err))
				continue
			}
			s.secrets = append(s.secrets, secret)
		}
	}
}

// Logger takes why triggers could not be stored, which clients are not told.
// Defaults to [slog.Default].
func Logger(l *slog.Logger) HTTPOption {
	return func(s *httpSettings) { s.log = l }
}

func (s *httpSettings) check(pattern string) error {
	errs := s.wrong
	if s.maxBody < 1 {
		errs = append(errs, fmt.Errorf("MaxBody(%d) is below 1", s.maxBody))
	}
	if s.maxRequests < 1 {
		errs = append(errs, fmt.Errorf("MaxRequests(%d) is below 1", s.maxRequests))
	}
	if s.timeout <= 0 {
		errs = append(errs, fmt.Errorf("RequestTimeout(%v) is not above 0", s.timeout))
	}
	if s.bearer && len(s.tokens) == 0 {
		errs = append(errs, errors.New("Bearer has no token that can be used; give it one, or leave it out"))
	}
	if s.signed && len(s.secrets) == 0 {
		errs = append(errs, errors.New("Signed has no secret that can be used; give it one, or leave it out"))
	}
	if s.log == nil {
		errs = append(errs, errors.New("Logger is nil; leave it out for slog.Default"))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("HTTP source at %q: %w", pattern, errors.Join(errs...))
}
