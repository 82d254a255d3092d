package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// postgresStore has its tables in a PostgreSQL: tables.sql makes them.
type postgresStore struct{ url string }

func (s postgresStore) sink(table string) pipeline.Filter[Line, pipeline.None] {
	return sinks.Postgres(sinks.PostgresConfig[Line]{
		URL:     s.url,
		Table:   table,
		Columns: []string{"customer", "number", "line", "article", "quantity", "express", "cents"},
		Values: func(l Line) ([]any, error) {
			return []any{l.Customer, l.Number, l.Line, l.Article, l.Quantity, l.Express, l.Cents}, nil
		},
	})
}

func (s postgresStore) read(ctx context.Context, table, prefix string, each func(Line)) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // it has only read
	rows, err := conn.Query(ctx, fmt.Sprintf(
		"SELECT customer, number, line, article, quantity, express, cents FROM %s WHERE starts_with(customer, $1) ORDER BY position",
		pgx.Identifier{table}.Sanitize()), prefix)
	if err != nil {
		return err
	}
	var l Line
	_, err = pgx.ForEachRow(rows, []any{&l.Customer, &l.Number, &l.Line, &l.Article, &l.Quantity, &l.Express, &l.Cents}, func() error {
		each(l)
		return nil
	})
	return err
}
