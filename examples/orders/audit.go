package main

import (
	"context"
	"errors"
	"fmt"
)

// audit is what became of a load.
type audit struct {
	accepted   int64
	stored     int // accepted orders of which each line is stored, once and with its price
	disordered int // lines that were stored behind a later one of their customer
}

func (a audit) String() string {
	return fmt.Sprintf("orders: accepted=%d stored=%d disordered=%d", a.accepted, a.stored, a.disordered)
}

var errAudit = errors.New("not all that was accepted is stored, once and in order")

// verdict is nil where all is as it should be.
func (a audit) verdict() error {
	if int64(a.stored) != a.accepted || a.disordered > 0 {
		return fmt.Errorf("%v: %w", a, errAudit)
	}
	return nil
}

// audit compares what was accepted with what is stored.
func (l *load) audit(ctx context.Context, s store) (audit, error) {
	a := audit{accepted: l.accepted.Load()}
	found := map[string]*tally{}
	for _, table := range []string{lineItems, shipments} {
		t := &tally{times: map[place]int{}, last: map[queue]place{}}
		if err := s.read(ctx, table, l.run+"-", t.add); err != nil {
			return a, fmt.Errorf("read what is stored: %w", err)
		}
		found[table] = t
		a.disordered += t.disordered
	}
	for k := range l.orders {
		o := l.order(k)
		if found[lineItems].has(o) && (!o.Express || found[shipments].has(o)) {
			a.stored++
		}
	}
	return a, nil
}

// tally counts the lines of a table.
type tally struct {
	times      map[place]int // that a line is stored, with the right price
	last       map[queue]place
	disordered int
}

// queue is what keeps its order: a customer's express lines, and the others.
type queue struct {
	customer string
	express  bool
}

func (t *tally) add(l Line) {
	at, of := placeOf(l), queue{l.Customer, l.Express}
	if l.Cents == listPrice(l.Article)*int64(l.Quantity) {
		t.times[at]++
	}
	if last := t.last[of]; at.number < last.number || at.number == last.number && at.line < last.line {
		t.disordered++
		return
	}
	t.last[of] = at
}

// has tells whether each line of an order is there once.
func (t *tally) has(o Order) bool {
	for i := range o.Items {
		if t.times[place{o.Customer, o.Number, i + 1}] != 1 {
			return false
		}
	}
	return true
}
