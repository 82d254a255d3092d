package sources_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

func TestHTTPIsUnavailableWhileNothingCanBeStored(t *testing.T) {
	t.Parallel()
	s := store{err: errors.New("no broker at secret-host")}
	h, _ := accepting[order](t, &s)
	w, a := post(t, h, `{}`)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.NotContains(t, a.Detail, "secret-host")
}

func TestHTTPTellsWhatCanNeverBeStored(t *testing.T) {
	t.Parallel()
	s := store{err: pipeline.Reject(errors.New("larger than the topic takes"))}
	h, _ := accepting[order](t, &s)
	w, a := post(t, h, `{}`)
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Contains(t, a.Detail, "larger than the topic takes")
}

func TestHTTPGivesUpWhenKafkaTakesTooLong(t *testing.T) {
	t.Parallel()
	s := store{wait: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	h, _ := accepting[order](t, &s, sources.RequestTimeout(20*time.Millisecond))
	w, _ := post(t, h, `{}`)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
}

// held is a store whose puts wait until they are let go.
func held() (s *store, entered <-chan struct{}, letGo func()) {
	in, out := make(chan struct{}), make(chan struct{})
	s = &store{wait: func(context.Context) error { in <- struct{}{}; <-out; return nil }}
	return s, in, sync.OnceFunc(func() { close(out) })
}

func TestHTTPBoundsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	s, entered, letGo := held()
	h, _ := accepting[order](t, s, sources.MaxRequests(2))
	codes := make(chan int, 2)
	for range 2 {
		go func() { codes <- status(h) }()
		<-entered
	}
	w, a := post(t, h, `{}`)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, a.Detail, "too many requests")
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	letGo()
	require.Equal(t, []int{202, 202}, []int{<-codes, <-codes})
}

func TestHTTPFinishesWhatIsUnderWayAndThenRefuses(t *testing.T) {
	t.Parallel()
	s, entered, letGo := held()
	h, stop := accepting[order](t, s)
	code := make(chan int, 1)
	go func() { code <- status(h) }()
	<-entered
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	require.Eventually(t, func() bool {
		w, _ := post(t, h, ``)
		return w.Code == http.StatusServiceUnavailable
	}, 30*time.Second, time.Millisecond)
	select {
	case <-stopped:
		t.Fatal("it stopped before the request was answered")
	default:
	}
	letGo()
	require.Equal(t, http.StatusAccepted, <-code)
	<-stopped
	require.Len(t, s.got, 1)
}

func TestHTTPRefusesBeforeItRuns(t *testing.T) {
	t.Parallel()
	h, ok := sources.HTTP[order]("POST /orders").(http.Handler)
	require.True(t, ok)
	w, _ := post(t, h, `{}`)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "close", w.Header().Get("Connection"))
}
