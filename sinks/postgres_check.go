package sinks

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// check finds every mistake in the configuration.
func (s *postgresSink[T]) check() (*pgx.ConnConfig, error) {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	parsed, err := pgx.ParseConfig(s.cfg.URL)
	switch {
	case s.cfg.URL == "":
		wrong("the URL is missing; give one like postgres://user@host:5432/database")
	case err != nil:
		errs = append(errs, err)
	}
	if s.cfg.Table == "" || slices.Contains(strings.Split(s.cfg.Table, "."), "") {
		wrong("the Table is %q; give its name, with the schema's and a dot before it where needed", s.cfg.Table)
	}
	if len(s.cfg.Columns) == 0 || s.cfg.Values == nil {
		wrong("Columns and Values are missing; say which columns are filled, and with what")
	}
	own := []string{PostgresIDColumn}
	if len(s.cfg.Key) > 0 {
		own = []string{PostgresSourceColumn, PostgresOffsetColumn}
	}
	for _, c := range own {
		if slices.Contains(s.cfg.Columns, c) {
			wrong("the column %s is filled by the sink; leave it out of Columns", c)
		}
	}
	for _, k := range s.cfg.Key {
		if !slices.Contains(s.cfg.Columns, k) {
			wrong("the column %s of the Key is not among the Columns; add it", k)
		}
	}
	if s.cfg.MostRows < 1 || s.cfg.Wait < 0 || s.cfg.Connections < 1 || s.cfg.Timeout < 0 {
		wrong("MostRows, Wait, Connections or Timeout is below what makes sense; leave it out for the default")
	}
	return parsed, errors.Join(errs...)
}

// postgresStatement inserts a row, or replaces the one of an earlier message.
func postgresStatement(table string, columns, key []string) string {
	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	names := slices.Clone(columns)
	conflict := quote(PostgresIDColumn)
	if len(key) == 0 {
		names = append(names, PostgresIDColumn)
	} else {
		names = append(names, PostgresSourceColumn, PostgresOffsetColumn)
		conflict = joined(key, quote)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s AS old (%s) VALUES (", pgx.Identifier(strings.Split(table, ".")).Sanitize(), joined(names, quote))
	for i := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	fmt.Fprintf(&b, ") ON CONFLICT (%s) DO ", conflict)
	if len(key) == 0 {
		b.WriteString("NOTHING")
		return b.String()
	}
	set := joined(names, func(name string) string { return quote(name) + " = EXCLUDED." + quote(name) })
	source, offset := quote(PostgresSourceColumn), quote(PostgresOffsetColumn)
	// Offsets of different partitions cannot be compared: then the later write stays.
	fmt.Fprintf(&b, "UPDATE SET %s WHERE old.%s IS DISTINCT FROM EXCLUDED.%s OR old.%s IS NULL OR old.%s < EXCLUDED.%s",
		set, source, source, offset, offset, offset)
	return b.String()
}

func joined(names []string, f func(string) string) string {
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = f(n)
	}
	return strings.Join(parts, ", ")
}
