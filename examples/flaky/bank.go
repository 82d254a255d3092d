package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// bank is a service that somebody else runs, and not well. It listens on a port
// of this machine.
type bank struct {
	outage time.Duration // it is down for this long, after quietTime
	locked time.Duration // carol's account, from the start
	told   io.Writer     // takes what happens to it

	server *http.Server
	url    string
	opened time.Time
	calls  atomic.Int64
	asked  atomic.Int64 // calls while it was down
}

const (
	workTime  = 20 * time.Millisecond  // that a call takes
	quietTime = 500 * time.Millisecond // before the bank goes down
)

// open starts the bank.
func (b *bank) open(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open the bank: %w", err)
	}
	b.url, b.opened = "http://"+listener.Addr().String(), time.Now()
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: time.Second}
	go func() { _ = b.server.Serve(listener) }() // ends with close
	fmt.Fprintf(b.told, "bank: open; it will be down for %v, and carol's account is locked for %v\n", b.outage, b.locked)
	time.AfterFunc(quietTime, func() { fmt.Fprintln(b.told, "bank: down") })
	time.AfterFunc(quietTime+b.outage, func() {
		fmt.Fprintf(b.told, "bank: up again; it was asked %d times while it was down\n", b.asked.Load())
	})
	time.AfterFunc(b.locked, func() { fmt.Fprintln(b.told, "bank: carol's account is unlocked") })
	return nil
}

func (b *bank) close() error { return b.server.Close() }

// ServeHTTP takes a payment, or does not.
func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(workTime):
	case <-r.Context().Done():
		return
	}
	var p Payment
	since := time.Since(b.opened)
	switch err := json.NewDecoder(io.LimitReader(r.Body, 1<<10)).Decode(&p); {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case since > quietTime && since < quietTime+b.outage:
		b.asked.Add(1)
		http.Error(w, "the bank is down", http.StatusServiceUnavailable)
	case p.Customer == "carol" && since < b.locked:
		http.Error(w, "the account is locked", http.StatusLocked)
	case b.calls.Add(1)%7 == 0:
		http.Error(w, "something went wrong", http.StatusInternalServerError)
	}
}

// charge has the bank take a payment. It is the filter of stage charge.
func (b *bank) charge(ctx context.Context, p Payment) (Payment, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return p, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, bytes.NewReader(body))
	if err != nil {
		return p, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return p, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the bank says %s: %s", answer.Status, bytes.TrimSpace(text))
	}
	return p, err
}
