package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/pipelinetest"
	"github.com/penstock/penstock/sinks"
)

// prices is a price list that fails as often as a test says.
type prices struct {
	mu    sync.Mutex
	fails map[string]int // times, by article
}

var errAway = errors.New("the supplier is away")

func (p *prices) cents(_ context.Context, article string) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails[article] > 0 {
		p.fails[article]--
		return 0, errAway
	}
	return listPrice(article), nil
}

// memory is a store.
type memory map[string]*[]Line

func (m memory) sink(table string) pipeline.Filter[Line, pipeline.None] {
	m[table] = &[]Line{}
	return sinks.Func(func(_ context.Context, l Line) error {
		*m[table] = append(*m[table], l)
		return nil
	})
}

func (m memory) read(_ context.Context, table, prefix string, each func(Line)) error {
	for _, l := range *m[table] {
		if strings.HasPrefix(l.Customer, prefix) {
			each(l)
		}
	}
	return nil
}

func newShop() (shop, *prices, memory) {
	list, m := &prices{fails: map[string]int{}}, memory{}
	return shop{source: placed(), prices: list, store: m}, list, m
}

func order(customer string, number int, articles ...string) Order {
	o := Order{Customer: customer, Number: number}
	for _, a := range articles {
		o.Items = append(o.Items, Item{Article: a, Quantity: 2})
	}
	return o
}

// numbers are those of a customer's orders, in the order of lines.
func numbers(lines []Line, customer string) []int {
	var n []int
	for _, l := range lines {
		if l.Customer == customer {
			n = append(n, l.Number)
		}
	}
	return n
}

func TestLinesArePricedAndStored(t *testing.T) {
	t.Parallel()
	s, _, stored := newShop()
	d := pipelinetest.New(t, Orders(s))

	o := order("ann", 1, "A1", "A2")
	o.Express = true
	d.Put("placed", o, order("bob", 1, "A3"))

	require.Equal(t, []Line{
		{Customer: "ann", Number: 1, Line: 1, Article: "A1", Quantity: 2, Express: true, Cents: 2 * listPrice("A1")},
		{Customer: "ann", Number: 1, Line: 2, Article: "A2", Quantity: 2, Express: true, Cents: 2 * listPrice("A2")},
	}, *stored[shipments])
	require.ElementsMatch(t, append([]Line{
		{Customer: "bob", Number: 1, Line: 1, Article: "A3", Quantity: 2, Cents: 2 * listPrice("A3")},
	}, *stored[shipments]...), *stored[lineItems])
	for _, m := range d.Messages("price") {
		require.Contains(t, []string{"ann", "bob"}, m.Key)
	}
}

func TestABusySupplierIsAskedAgain(t *testing.T) {
	t.Parallel()
	s, list, stored := newShop()
	list.fails["A1"] = 2
	d := pipelinetest.New(t, Orders(s))

	d.Put("placed", order("ann", 1, "A1"), order("ann", 2, "A2"))
	require.Empty(t, numbers(*stored[lineItems], "ann"))
	d.Advance(time.Second)
	require.Equal(t, []int{1, 2}, numbers(*stored[lineItems], "ann"))
}

// Three attempts fail, so the line is parked: its customer waits, nobody else does.
func TestACustomerWaitsForAPriceInOrder(t *testing.T) {
	t.Parallel()
	s, list, stored := newShop()
	list.fails["A1"] = 4
	d := pipelinetest.New(t, Orders(s))

	d.Put("placed", order("ann", 1, "A1"), order("ann", 2, "A2"))
	d.Advance(200 * time.Millisecond) // the attempts of Retry
	d.Put("placed", order("bob", 1, "A3"), order("ann", 3, "A3"))
	require.Empty(t, numbers(*stored[lineItems], "ann"))
	require.Equal(t, []int{1}, numbers(*stored[lineItems], "bob"))

	d.Advance(time.Minute) // those of Park
	require.Equal(t, []int{1, 2, 3}, numbers(*stored[lineItems], "ann"))
	require.Empty(t, d.Failures("price"))
}

func TestAnArticleThatNeverHasAPriceIsPoisoned(t *testing.T) {
	t.Parallel()
	s, list, stored := newShop()
	list.fails["A1"] = 1000
	d := pipelinetest.New(t, Orders(s))

	d.Put("placed", order("ann", 1, "A1"), order("ann", 2, "A2"))
	d.Drain()
	failed := d.Failures("price")
	require.Len(t, failed, 1)
	require.Equal(t, 3+20, failed[0].Attempts)
	require.Equal(t, errAway.Error(), failed[0].Last)
	require.Equal(t, []int{2}, numbers(*stored[lineItems], "ann"))
}

func TestWhatIsNoOrderIsPoisonedAndWhatIsNoJSONRefused(t *testing.T) {
	t.Parallel()
	s, _, stored := newShop()
	d := pipelinetest.New(t, Orders(s))
	h := d.Handler()
	for body, want := range map[string]int{
		`{"customer":"ann","number":1,"items":[{"article":"A1","quantity":1}]}`:    http.StatusAccepted,
		`{"customer":"bob","number":1,"items":[]}`:                                 http.StatusAccepted,
		`{"customer":"cem","number":1,"items":[{"article":"A1","quantity":1e9}]}`:  http.StatusBadRequest,
		`{"customer":"dan","number":1,"items":[{"article":"A1","quantity":1001}]}`: http.StatusAccepted,
		`{"customer":"eve","nmber":1}`:                                             http.StatusBadRequest,
		`{"customer":`:                                                             http.StatusBadRequest,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/orders", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, want, w.Code, "%s: %s", body, w.Body)
	}
	require.Len(t, *stored[lineItems], 1)
	require.Len(t, d.Failures("validate"), 2)
}
