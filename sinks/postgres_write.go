package sinks

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/penstock/penstock/pipeline"
)

// postgresRow is one row that is to be written.
type postgresRow struct {
	args []any
	fail func(error)
}

// write writes rows in one transaction. Where the database refuses one of them it
// halves the rows, and halves again, until the one stands alone: so the cost of a bad
// row is a few more transactions, and that of good ones nothing. The order of the rows
// is kept.
func (p *postgresConns) write(ctx context.Context, sql string, rows []postgresRow) error {
	ofRow := false
	err := p.use(ctx, func(c *pgx.Conn) error {
		batch := &pgx.Batch{}
		for i := range rows {
			batch.Queue(sql, rows[i].args...)
		}
		// One round trip, and one transaction, since nothing in it begins another.
		err := c.SendBatch(ctx, batch).Close()
		ofRow = err != nil && isOfRow(ctx, c, err)
		return err
	})
	switch {
	case err == nil || !ofRow:
		return err
	case len(rows) == 1:
		rows[0].fail(pipeline.Reject(fmt.Errorf("the database refuses the row: %w", err)))
		return nil
	}
	half := len(rows) / 2
	if err := p.write(ctx, sql, rows[:half]); err != nil {
		return err
	}
	return p.write(ctx, sql, rows[half:])
}

// isOfRow tells an error that a row is to blame for from one that may pass.
func isOfRow(ctx context.Context, c *pgx.Conn, err error) bool {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch refused.Code[:min(2, len(refused.Code))] {
		case "22", "23", "P0": // a value out of range, a constraint, an exception that a trigger raised
			return true
		case "44": // the check of a view
			return true
		}
		return false
	}
	// A value that has no place in its column's type is refused on this side. pgx has
	// no type for that error, and closes the connection where it is one of a batch.
	return ctx.Err() == nil && (!c.IsClosed() || strings.Contains(err.Error(), "failed to encode args["))
}

// parameter is one of a statement.
var parameter = regexp.MustCompile(`\$\d+`)

// explainPostgres has the database look at the statement without running it: at the
// table, the columns, the constraint and the rights.
func explainPostgres(ctx context.Context, c *pgx.Conn, sql string) error {
	rows, err := c.Query(ctx, "EXPLAIN "+parameter.ReplaceAllString(sql, "NULL"), pgx.QueryExecModeSimpleProtocol)
	if err == nil {
		rows.Close()
		err = rows.Err()
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		if advice := postgresAdvice(refused.Code); advice != "" {
			return fmt.Errorf("%w; %s", err, advice)
		}
	}
	return err
}

func postgresAdvice(code string) string {
	switch {
	case code == "42P10":
		return "the columns of the Key, or " + PostgresIDColumn + " where there is none, need a primary key or a unique constraint"
	case code == "42703":
		return "the table needs all Columns, and " + PostgresIDColumn + " text, or with a Key " + PostgresSourceColumn + " text and " + PostgresOffsetColumn + " bigint"
	case code == "42P01":
		return "make the table, or correct its name"
	case code == "42501":
		return "the user needs the rights to insert, and with a Key to select and to update"
	case strings.HasPrefix(code, "28"):
		return "correct the user or the password"
	}
	return ""
}
