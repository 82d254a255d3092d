// Package webhook signs requests, and checks their signatures, in the way of
// Standard Webhooks (https://www.standardwebhooks.com), version 1 with symmetric
// keys: the HMAC-SHA256 of the id, the time and the body.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of the headers.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	secretPrefix  = "whsec_"
	version       = "v1,"
	minSecret     = 16
	maxSignatures = 16 // in one header; more are not looked at
)

// Secret is a key that sender and receiver share. It shows nothing of itself when
// it is printed.
type Secret struct{ key []byte }

// String hides the secret.
func (Secret) String() string { return "(secret)" }

// GoString hides it from %#v too.
func (Secret) GoString() string { return "webhook.Secret{(secret)}" }

// ParseSecret reads "whsec_" with base64 behind it; any other text is the key
// itself. The error does not repeat it.
func ParseSecret(text string) (Secret, error) {
	key := []byte(text)
	if encoded, ok := strings.CutPrefix(text, secretPrefix); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return Secret{}, errors.New("what is behind whsec_ is not base64")
		}
	}
	switch {
	case len(key) == 0:
		return Secret{}, errors.New("it is empty; is the variable set that it comes from?")
	case len(key) < minSecret:
		return Secret{}, fmt.Errorf("it has %d bytes; give it at least %d", len(key), minSecret)
	}
	return Secret{key}, nil
}

// Sign sets the headers of a request that carries the body.
func Sign(h http.Header, id string, at time.Time, body []byte, secret Secret) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderSignature, version+base64.StdEncoding.EncodeToString(secret.sum(id, stamp, body)))
}

// Verify checks that one of the secrets signed the body, not longer ago than maxAge
// nor further ahead. How long it takes says nothing of the secrets.
func Verify(h http.Header, body []byte, secrets []Secret, now time.Time, maxAge time.Duration) error {
	id, stamp, signatures := h.Get(HeaderID), h.Get(HeaderTimestamp), h.Get(HeaderSignature)
	if id == "" || stamp == "" || signatures == "" {
		return fmt.Errorf("the request is not signed: it needs the headers %s, %s and %s", HeaderID, HeaderTimestamp, HeaderSignature)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || seconds < 0 {
		return fmt.Errorf("the header %s is no time in seconds since 1970", HeaderTimestamp)
	}
	if age := now.Sub(time.Unix(seconds, 0)).Abs(); age > maxAge {
		return fmt.Errorf("the signature is of another time: it may be %v old", maxAge)
	}
	valid := false
	for _, s := range strings.SplitN(signatures, " ", maxSignatures) {
		encoded, ok := strings.CutPrefix(s, version)
		given, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil {
			continue
		}
		for _, secret := range secrets {
			if hmac.Equal(given, secret.sum(id, stamp, body)) {
				valid = true
			}
		}
	}
	if !valid {
		return errors.New("the signature does not fit")
	}
	return nil
}

func (s Secret) sum(id, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	for _, part := range [][]byte{[]byte(id), {'.'}, []byte(stamp), {'.'}, body} {
		_, _ = mac.Write(part) // a hash takes everything
	}
	return mac.Sum(nil)
}
