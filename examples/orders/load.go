package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// load is a generator of orders. Each customer's come one after the other; the
// customers' side by side.
type load struct {
	to          string // where orders are posted
	orders      int
	customers   int
	connections int
	rate        int // orders a second; 0: as many as there can be

	// run begins the customers' names, so that two runs are told apart.
	run string

	told io.Writer // takes how far it is

	accepted atomic.Int64
}

// newRun is a name that no other run has.
func newRun() string { return strconv.FormatInt(time.Now().UnixMicro(), 36) }

// maxRate is what a ticker can keep up with.
const maxRate = 100_000

func (l *load) check() error {
	if l.orders < 1 || l.customers < 1 || l.connections < 1 || l.rate < 0 || l.rate > maxRate {
		return fmt.Errorf("--orders, --customers and --connections are at least 1, and --rate is at most %d", maxRate)
	}
	return nil
}

// order makes the k-th order, from 0 on. It is the same each time.
func (l *load) order(k int) Order {
	o := Order{
		Customer: fmt.Sprintf("%s-%d", l.run, k%l.customers),
		Number:   k/l.customers + 1,
		Express:  k%4 == 0,
	}
	for i := range 1 + k%3 {
		o.Items = append(o.Items, Item{Article: fmt.Sprintf("A%d", (k+31*i)%211), Quantity: 1 + (k+i)%9})
	}
	return o
}

// post posts all orders, and returns when the last one is accepted. It can be
// called again after an error.
func (l *load) post(ctx context.Context) error {
	l.accepted.Store(0)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: l.connections}}
	defer client.CloseIdleConnections()
	var pace <-chan time.Time
	if l.rate > 0 {
		ticker := time.NewTicker(time.Second / time.Duration(l.rate))
		defer ticker.Stop()
		pace = ticker.C
	}
	var workers sync.WaitGroup
	for w := range min(l.connections, l.customers) {
		workers.Go(func() {
			if err := l.postFor(ctx, client, w, pace); err != nil {
				cancel(err)
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// postFor posts the orders of every customer that is a worker's.
func (l *load) postFor(ctx context.Context, client *http.Client, worker int, pace <-chan time.Time) error {
	for first := 0; first < l.orders; first += l.customers { // the next order of each customer
		for c := worker; c < l.customers && first+c < l.orders; c += l.connections {
			if l.rate > 0 {
				select {
				case <-pace:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			if err := l.untilAccepted(ctx, client, l.order(first+c)); err != nil {
				return err
			}
		}
	}
	return nil
}

// untilAccepted posts an order, under one id, until it is accepted.
func (l *load) untilAccepted(ctx context.Context, client *http.Client, o Order) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	for {
		final, err := l.postOnce(ctx, client, fmt.Sprintf("%s-%d", o.Customer, o.Number), body)
		if err == nil {
			l.accepted.Add(1)
			return nil
		}
		if final || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// postOnce tells whether an error is final.
func (l *load) postOnce(ctx context.Context, client *http.Client, id string, body []byte) (final bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.to+"/orders", bytes.NewReader(body))
	if err != nil {
		return true, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", id)
	answer, err := client.Do(request)
	if err != nil {
		return false, err // whether it was accepted is not known
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err == nil && answer.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("post order %s to %s: %s: %s", id, l.to, answer.Status, bytes.TrimSpace(text))
	}
	return answer.StatusCode/100 == 4, err
}
