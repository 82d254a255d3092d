package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// complete is a load of eight orders, and what is stored of it.
func complete(t *testing.T) (*load, memory) {
	t.Helper()
	l := &load{run: "r", orders: 8, customers: 2}
	m := memory{lineItems: {}, shipments: {}}
	for k := range l.orders {
		lines, err := split(t.Context(), l.order(k))
		require.NoError(t, err)
		for _, line := range lines {
			line.Cents = listPrice(line.Article) * int64(line.Quantity)
			*m[lineItems] = append(*m[lineItems], line)
			if line.Express {
				*m[shipments] = append(*m[shipments], line)
			}
		}
	}
	l.accepted.Store(int64(l.orders))
	return l, m
}

func TestAnAuditFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil              func(lines, shipped []Line) ([]Line, []Line)
		stored, disordered int
	}{
		"nothing":    {func(l, s []Line) ([]Line, []Line) { return l, s }, 8, 0},
		"a line":     {func(l, s []Line) ([]Line, []Line) { return l[1:], s }, 7, 0},
		"a shipment": {func(l, s []Line) ([]Line, []Line) { return l, s[1:] }, 7, 0},
		"a repeat":   {func(l, s []Line) ([]Line, []Line) { return append(l, l[len(l)-1]), s }, 7, 0},
		"the order":  {func(l, s []Line) ([]Line, []Line) { return append(l[1:], l[0]), s }, 8, 1},
		"a price":    {func(l, s []Line) ([]Line, []Line) { l[0].Cents++; return l, s }, 7, 0},
		"everything": {func([]Line, []Line) ([]Line, []Line) { return nil, nil }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, m := complete(t)
			*m[lineItems], *m[shipments] = c.spoil(*m[lineItems], *m[shipments])
			a, err := l.audit(t.Context(), m)
			require.NoError(t, err)
			require.Equal(t, audit{accepted: 8, stored: c.stored, disordered: c.disordered}, a)
			require.Equal(t, name == "nothing", a.verdict() == nil)
		})
	}
}
