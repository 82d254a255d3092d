package sinks

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/penstock/penstock/pipeline"
)

// PostgresConfig is the configuration of [Postgres].
type PostgresConfig[T any] struct {
	// URL says which database, as in "postgres://user:password@host:5432/shop", with
	// the parameters that libpq has; what it leaves out comes from libpq's variables
	// and password file. Required. The password is in no error and no log.
	URL string

	// Table is where rows go: its name, with the schema's before it where that is
	// not on the search path, as in "shop.lines". Required.
	Table string

	// Columns are those that Values fills, without those that the sink fills
	// itself. Required.
	Columns []string

	// Values makes the values of the columns, in their order. An error fails the
	// message: mark it with pipeline.Reject where trying again does not help.
	// Required.
	Values func(T) ([]any, error)

	// Key are the columns by which a row is found again: with it a message replaces
	// the row that an earlier one has made. Defaults to none: each message makes a
	// row of its own.
	Key []string

	// MostRows bounds the rows of a transaction. Defaults to 500.
	MostRows int

	// Wait is how long the first message of a transaction waits for others.
	// Defaults to 20 ms.
	Wait time.Duration

	// Connections bounds the connections of this process. Each partition that it
	// has uses one at a time. Defaults to 4.
	Connections int

	// Timeout is how long a transaction may take, and a connection to be made.
	// Defaults to 30 s.
	Timeout time.Duration
}

// Columns that the sink fills. The first one is filled where there is no Key, the
// others where there is one.
const (
	// PostgresIDColumn has the id of the message: text, under a unique constraint.
	PostgresIDColumn = "message_id"
	// PostgresSourceColumn has the topic and partition of the message, as in
	// "orders.priced/3": text.
	PostgresSourceColumn = "source"
	// PostgresOffsetColumn has the offset of the message there: bigint.
	PostgresOffsetColumn = "source_offset"
)

// Postgres writes a row for each message, many in one transaction. A message that
// comes again changes nothing:
//
//   - Without a Key the row has the message's id in the column message_id, which needs
//     a unique constraint, and one that is there already is left as it is.
//   - With a Key, which needs a unique constraint too, the row is replaced, but never
//     by a message that came before the one it has: the columns source and
//     source_offset say which that was. So it does not matter how often and how late
//     a message is repeated. The messages of a key must come from one pipe. Who
//     deletes a topic and makes it anew has to set these columns to null, since its
//     offsets begin with 0 again.
//
// A row that the database refuses, for a constraint, a type or a value out of range,
// is poisoned alone; the others of its transaction are written. Anything else, a
// database that is away or read-only, a table or a right that is missing, may pass:
// the sink brings a breaker, so that all messages wait, and none uses up its
// attempts. The setting [pipeline.Breaker] replaces it.
func Postgres[T any](cfg PostgresConfig[T]) pipeline.Filter[T, pipeline.None] {
	setDefault(&cfg.MostRows, 500)
	setDefault(&cfg.Wait, 20*time.Millisecond)
	setDefault(&cfg.Connections, 4)
	setDefault(&cfg.Timeout, 30*time.Second)
	return &postgresSink[T]{cfg: cfg}
}

func setDefault[V comparable](field *V, value V) {
	var zero V
	if *field == zero {
		*field = value
	}
}

type postgresSink[T any] struct {
	cfg   PostgresConfig[T]
	sql   string
	conns *postgresConns
}

// Breaker implements pipeline.Guarded.
func (s *postgresSink[T]) Breaker() pipeline.BreakerNode {
	return pipeline.BreakerNode{Failures: 1, Probe: pipeline.Exponential(500*time.Millisecond, 10*time.Second)}
}

// Batch implements pipeline.BatchFilter.
func (s *postgresSink[T]) Batch() (most int, wait time.Duration) { return s.cfg.MostRows, s.cfg.Wait }

// Open connects, and lets the database look at the statement.
func (s *postgresSink[T]) Open(ctx context.Context) error {
	parsed, err := s.check()
	if err != nil {
		return pipeline.Reject(fmt.Errorf("Postgres sink: %w", err))
	}
	s.sql = postgresStatement(s.cfg.Table, s.cfg.Columns, s.cfg.Key)
	conns := newPostgresConns(parsed, s.cfg.Connections)
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	err = conns.use(ctx, func(c *pgx.Conn) error { return explainPostgres(ctx, c, s.sql) })
	if err != nil {
		conns.close(ctx)
		return fmt.Errorf("Postgres sink into %s: %w", s.cfg.Table, err)
	}
	s.conns = conns
	return nil
}

// Close ends the connections.
func (s *postgresSink[T]) Close(ctx context.Context) error {
	s.conns.close(ctx)
	return nil
}

// Filter writes one row.
func (s *postgresSink[T]) Filter(ctx context.Context, m *pipeline.Message[T], _ *pipeline.Emitter[pipeline.None]) error {
	row, err := s.row(m)
	if err != nil {
		return err
	}
	var failed error
	err = s.write(ctx, []postgresRow{{args: row, fail: func(err error) { failed = err }}})
	if err != nil {
		return err
	}
	return failed
}

// FilterBatch writes a row for each item.
func (s *postgresSink[T]) FilterBatch(ctx context.Context, items []pipeline.Item[T, pipeline.None]) error {
	rows := make([]postgresRow, 0, len(items))
	for _, item := range items {
		args, err := s.row(item.Message)
		if err != nil {
			item.Fail(err)
			continue
		}
		rows = append(rows, postgresRow{args: args, fail: item.Fail})
	}
	return s.write(ctx, rows)
}

// row makes the arguments of the statement.
func (s *postgresSink[T]) row(m *pipeline.Message[T]) ([]any, error) {
	values, err := s.cfg.Values(m.Body)
	if err != nil {
		return nil, err
	}
	if len(values) != len(s.cfg.Columns) {
		return nil, pipeline.Reject(fmt.Errorf("write to table %s: Values made %d values for %d columns", s.cfg.Table, len(values), len(s.cfg.Columns)))
	}
	args := append(make([]any, 0, len(values)+2), values...)
	if len(s.cfg.Key) == 0 {
		return append(args, m.ID), nil
	}
	return append(args, fmt.Sprintf("%s/%d", m.Topic, m.Partition), m.Offset), nil
}

// write writes the rows, and fails those that the database refuses.
func (s *postgresSink[T]) write(ctx context.Context, rows []postgresRow) error {
	if len(rows) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := s.conns.write(ctx, s.sql, rows); err != nil {
		return fmt.Errorf("write %d rows to table %s: %w", len(rows), s.cfg.Table, err)
	}
	return nil
}
