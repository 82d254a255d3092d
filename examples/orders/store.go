package main

import (
	"context"

	"github.com/penstock/penstock/pipeline"
)

// store is where the lines end: a database, or files where there is none. A line
// that comes again is stored once.
type store interface {
	// sink stores the lines that it is given in a table.
	sink(table string) pipeline.Filter[Line, pipeline.None]

	// read calls each for the lines of a table whose customers' names begin with the
	// prefix, in the order in which they were stored.
	read(ctx context.Context, table, prefix string, each func(Line)) error
}

// The tables.
const (
	lineItems = "lines"
	shipments = "shipments" // of express lines, for the courier
)
