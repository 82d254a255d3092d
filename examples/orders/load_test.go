package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// shopfront takes orders, loses each third answer, and is busy now and then.
type shopfront struct {
	mu     sync.Mutex
	calls  int
	orders map[string][]int // numbers, by customer, each id once
	ids    map[string]bool
}

func (s *shopfront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.calls%5 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var o Order
	id := r.Header.Get("Idempotency-Key")
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil || id == "" || r.URL.Path != "/orders" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !s.ids[id] {
		s.ids[id] = true
		s.orders[o.Customer] = append(s.orders[o.Customer], o.Number)
	}
	if s.calls%3 == 0 {
		panic(http.ErrAbortHandler) // it has the order, and the answer is lost
	}
	w.WriteHeader(http.StatusAccepted)
}

func TestALoadPostsEachCustomersOrdersInTheirOrderUntilTheyAreAccepted(t *testing.T) {
	t.Parallel()
	s := &shopfront{orders: map[string][]int{}, ids: map[string]bool{}}
	server := httptest.NewServer(s)
	defer server.Close()
	l := &load{run: "r", to: server.URL, orders: 31, customers: 4, connections: 3}
	require.NoError(t, l.post(t.Context()))
	require.EqualValues(t, 31, l.accepted.Load())
	require.Equal(t, map[string][]int{
		"r-0": {1, 2, 3, 4, 5, 6, 7, 8}, "r-1": {1, 2, 3, 4, 5, 6, 7, 8}, "r-2": {1, 2, 3, 4, 5, 6, 7, 8}, "r-3": {1, 2, 3, 4, 5, 6, 7},
	}, s.orders)
}

func TestALoadEndsWhereAnOrderIsRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	var out, errs bytes.Buffer
	status := program().Main(t.Context(), []string{"load", "--orders", "5", "--to", server.URL}, strings.NewReader(""), &out, &errs)
	require.Equal(t, 1, status)
	require.Contains(t, errs.String(), "0 of 5 orders are accepted")
	require.Contains(t, errs.String(), "404")
	require.Empty(t, out.String())
}
