package sinks

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// maxRetryAfter bounds what a receiver may ask for: the message holds up its key.
const maxRetryAfter = time.Hour

// judge says what an answer means for its message.
func (s *httpSink[T]) judge(resp *http.Response, text []byte) error {
	if resp.StatusCode/100 == 2 {
		return nil
	}
	reason := strings.ToValidUTF8(string(text[:min(len(text), maxReason)]), "?")
	err := fmt.Errorf("%s %s: answered %s: %q", s.cfg.Method, s.host, resp.Status, reason)
	if !mayPass(resp.StatusCode) {
		return pipeline.Reject(err)
	}
	if wait, ok := retryAfter(resp.Header.Get("Retry-After"), time.Now()); ok {
		return pipeline.RetryAfter(min(wait, maxRetryAfter), err)
	}
	return err
}

// mayPass tells the statuses after which the same request may succeed.
func mayPass(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return status >= 500
}

// retryAfter reads the header, which is in seconds or a date.
func retryAfter(text string, now time.Time) (wait time.Duration, ok bool) {
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, int(maxRetryAfter/time.Second))) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}
