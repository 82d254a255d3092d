package main

import (
	"context"

	"github.com/penstock/penstock/filters"
)

// Order is what a customer orders. A customer's orders are numbered from 1.
type Order struct {
	Customer string `json:"customer"`
	Number   int    `json:"number"`
	Express  bool   `json:"express"`
	Items    []Item `json:"items"`
}

// Item is so many of an article.
type Item struct {
	Article  string `json:"article"`
	Quantity int    `json:"quantity"`
}

// Line is one line of an order on its way. line.avsc is its schema.
type Line struct {
	Customer string `json:"customer"`
	Number   int    `json:"number"` // of the order
	Line     int    `json:"line"`   // from 1
	Article  string `json:"article"`
	Quantity int    `json:"quantity"`
	Express  bool   `json:"express"`
	Cents    int64  `json:"cents"`
}

const (
	maxItems    = 50
	maxQuantity = 1000
)

// validate rejects what cannot be fulfilled: trying again would not help.
func validate(_ context.Context, o Order) (Order, error) {
	switch {
	case o.Customer == "":
		return o, filters.Rejectf("the order has no customer")
	case o.Number < 1:
		return o, filters.Rejectf("order %d of %s: orders are numbered from 1", o.Number, o.Customer)
	case len(o.Items) == 0 || len(o.Items) > maxItems:
		return o, filters.Rejectf("order %d of %s has %d items: it must have 1 to %d", o.Number, o.Customer, len(o.Items), maxItems)
	}
	for _, item := range o.Items {
		if item.Article == "" || item.Quantity < 1 || item.Quantity > maxQuantity {
			return o, filters.Rejectf("order %d of %s: %d of article %q: it must be 1 to %d of one that has a name",
				o.Number, o.Customer, item.Quantity, item.Article, maxQuantity)
		}
	}
	return o, nil
}

// split makes a line of each item.
func split(_ context.Context, o Order) ([]Line, error) {
	lines := make([]Line, len(o.Items))
	for i, item := range o.Items {
		lines[i] = Line{
			Customer: o.Customer, Number: o.Number, Line: i + 1,
			Article: item.Article, Quantity: item.Quantity, Express: o.Express,
		}
	}
	return lines, nil
}
