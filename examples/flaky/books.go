package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// books are the payments that were charged, in the order in which they came.
type books struct {
	told io.Writer

	mu         sync.Mutex
	begun      time.Time
	last       map[string]int // number of the customer's last payment
	disordered int
	passed     int // of other customers, before carol's first
}

func newBooks() *books { return &books{last: map[string]int{}, told: io.Discard} }

// enter books a payment. It is the filter of stage book. One that comes again is
// no news; one that comes before its predecessor is out of order.
func (b *books) enter(_ context.Context, p Payment) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.begun.IsZero() {
		b.begun = time.Now()
	}
	last, known := b.last[p.Customer]
	switch {
	case p.Number <= last:
		return nil
	case p.Number > last+1:
		b.disordered++
	}
	b.last[p.Customer] = p.Number
	if _, carol := b.last["carol"]; !carol {
		b.passed++
	}
	if p.Customer == "carol" && !known {
		fmt.Fprintf(b.told, "books: carol's first payment after %v; %d of other customers are through\n",
			time.Since(b.begun).Round(100*time.Millisecond), b.passed)
	}
	return nil
}

// audit tells how many payments are charged, how many came out of order, and how
// many of other customers passed while carol waited.
func (b *books) audit() (charged, disordered, passed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.last {
		charged += n
	}
	return charged, b.disordered, b.passed
}
