//go:build kafka

package sinks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/sinks"
)

// database is a PostgreSQL with a table of its own for a test.
type database struct {
	t     *testing.T
	conn  *pgx.Conn
	url   string
	table string
}

func newDatabase(t *testing.T, columns string) *database {
	t.Helper()
	url := os.Getenv("PENSTOCK_TEST_POSTGRES")
	require.NotEmpty(t, url, "run these tests with make test-kafka, which starts a PostgreSQL")
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	d := &database{t: t, conn: conn, url: url, table: fmt.Sprintf("t%d", rand.Uint64())}
	d.exec("CREATE TABLE " + d.table + " (" + columns + ")")
	return d
}

func (d *database) exec(sql string) {
	d.t.Helper()
	_, err := d.conn.Exec(d.t.Context(), sql)
	require.NoError(d.t, err)
}

// rows are those of the table, as text, in order.
func (d *database) rows(columns string) []string {
	d.t.Helper()
	rows, err := d.conn.Query(d.t.Context(), "SELECT concat_ws(' ', "+columns+") FROM "+d.table+" ORDER BY 1")
	require.NoError(d.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(d.t, err)
	return all
}

func (d *database) sink(change func(*sinks.PostgresConfig[stock])) pipeline.Filter[stock, pipeline.None] {
	cfg := stockConfig(d.url)
	cfg.Table = d.table
	if change != nil {
		change(&cfg)
	}
	return sinks.Postgres(cfg)
}

// batch runs a sink on values, the first one at offset from, and returns their
// verdicts.
func batch(t *testing.T, f pipeline.Filter[stock, pipeline.None], from int64, values ...stock) []pipeline.Verdict {
	t.Helper()
	n := sinkOf(t, f)
	require.NoError(t, n.Open(t.Context()))
	defer func() { require.NoError(t, n.Close(context.Background())) }()
	ds, outs, errs := make([]*pipeline.Delivery, len(values)), make([]*pipeline.Outputs, len(values)), make([]error, len(values))
	for i, v := range values {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		ds[i], outs[i] = delivered(string(text)), &pipeline.Outputs{}
		ds[i].Offset = from + int64(i)
		ds[i].ID = fmt.Sprint("msg-", ds[i].Offset)
	}
	n.Batch.Calls[0](t.Context(), ds, outs, errs)
	verdicts := make([]pipeline.Verdict, len(errs))
	for i, err := range errs {
		verdicts[i], _ = pipeline.Judge(err)
	}
	return verdicts
}

const done, rejected = pipeline.Done, pipeline.Rejected

func TestRealPostgresWritesEachMessageOnce(t *testing.T) {
	d := newDatabase(t, "sku text, count int, message_id text PRIMARY KEY")
	for range 3 {
		require.Equal(t, []pipeline.Verdict{done, done}, batch(t, d.sink(nil), 10, stock{"pen", 1}, stock{"pen", 2}))
	}
	require.Equal(t, []pipeline.Verdict{done, done}, batch(t, d.sink(nil), 11, stock{"pen", 2}, stock{"ink", 3}))
	require.Equal(t, []string{"ink 3 msg-12", "pen 1 msg-10", "pen 2 msg-11"}, d.rows("sku, count, message_id"))
}

// Of all repeats and however late they come, the row is that of the last message.
func TestRealPostgresKeepsTheLatestOfAKey(t *testing.T) {
	d := newDatabase(t, "sku text PRIMARY KEY, count int, source text, source_offset bigint")
	d.exec("INSERT INTO " + d.table + " VALUES ('ink', 100, NULL, NULL)")
	keyed := d.sink(func(c *sinks.PostgresConfig[stock]) { c.Key = []string{"sku"} })
	all := []stock{{"pen", 0}, {"pen", 1}, {"ink", 2}, {"pen", 3}, {"ink", 4}, {"pen", 5}}
	batch(t, keyed, 0, all[:4]...)
	require.Equal(t, []string{"ink 2 shop.in/2 2", "pen 3 shop.in/2 3"}, d.rows("sku, count, source, source_offset"))
	batch(t, keyed, 0, all...)
	want := []string{"ink 4 shop.in/2 4", "pen 5 shop.in/2 5"}
	require.Equal(t, want, d.rows("sku, count, source, source_offset"))
	for range 20 { // what was parked, or is replayed, comes late
		from := rand.IntN(len(all))
		batch(t, keyed, int64(from), all[from:from+1+rand.IntN(len(all)-from)]...)
		require.Equal(t, want, d.rows("sku, count, source, source_offset"))
	}
}

func TestRealPostgresPoisonsABadRowAlone(t *testing.T) {
	d := newDatabase(t, "sku text CHECK (length(sku) < 10), count smallint NOT NULL, message_id text PRIMARY KEY")
	bad := map[int]stock{
		3: {"a name that is too long", 1}, 7: {"pen", 1 << 20}, 8: {"pen", nil}, 19: {"pen", "many"}, 20: {"zero\x00byte", 1},
		31: {"pen", map[string]any{"a": 1}},
	}
	values, want := make([]stock, 40), make([]pipeline.Verdict, 40)
	for i := range values {
		values[i] = stock{"good", i}
		if b, isBad := bad[i]; isBad {
			values[i], want[i] = b, rejected
		}
	}
	require.Equal(t, want, batch(t, d.sink(nil), 0, values...))
	require.Len(t, d.rows("count"), len(values)-len(bad))
	for i, b := range bad { // and one by one
		require.Equal(t, []pipeline.Verdict{rejected}, batch(t, d.sink(nil), 1000+int64(i), b))
	}
}

// What an operator can mend poisons nothing.
func TestRealPostgresTriesAgainWhatMayPass(t *testing.T) {
	d := newDatabase(t, "sku text, count int, message_id text PRIMARY KEY")
	n := sinkOf(t, d.sink(nil))
	require.NoError(t, n.Open(t.Context()))
	defer func() { require.NoError(t, n.Close(context.Background())) }()
	write := func() pipeline.Verdict {
		errs := make([]error, 1)
		n.Batch.Calls[0](t.Context(), []*pipeline.Delivery{delivered(`{"SKU":"pen","Count":1}`)}, []*pipeline.Outputs{{}}, errs)
		v, _ := pipeline.Judge(errs[0])
		return v
	}
	require.Equal(t, done, write())
	d.exec("ALTER TABLE " + d.table + " RENAME TO gone")
	require.Equal(t, pipeline.Again, write())
	d.exec("ALTER TABLE gone RENAME TO " + d.table)
	require.Eventually(t, func() bool { return write() == done }, 30*time.Second, 10*time.Millisecond)
	d.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
	require.Equal(t, pipeline.Again, write(), "its connection has ended")
	require.Equal(t, done, write())
	require.Len(t, d.rows("sku"), 1)
}

func TestRealPostgresSaysAtTheStartWhatIsMissing(t *testing.T) {
	d := newDatabase(t, "sku text, count int, message_id text")
	for want, change := range map[string]func(*sinks.PostgresConfig[stock]){
		"message_id where there is none, need a primary key": nil,
		"make the table, or correct its name":                func(c *sinks.PostgresConfig[stock]) { c.Table = "no_such_table" },
		"the table needs all Columns":                        func(c *sinks.PostgresConfig[stock]) { c.Columns = []string{"sku", "number"} },
		"or with a Key source text":                          func(c *sinks.PostgresConfig[stock]) { c.Key = []string{"sku"} },
	} {
		err := sinkOf(t, d.sink(change)).Open(t.Context())
		require.ErrorContains(t, err, want)
		v, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Again, v, "somebody may make it")
	}
}

// The database crashes while messages come: each is there once, in the end, and
// none is poisoned.
func TestRealPostgresOverACrashOfTheDatabase(t *testing.T) {
	restart := os.Getenv("PENSTOCK_TEST_POSTGRES_RESTART_COMMAND")
	require.NotEmpty(t, restart, "run these tests with make test-kafka, which says how the PostgreSQL is restarted")
	d := newDatabase(t, "sku text, count int, message_id text PRIMARY KEY")
	addrs := brokertest.New(t).Addrs()
	p := pipeline.New("shop")
	in := pipeline.NewPipe[stock](p, "in", pipeline.Partitions(4))
	pipeline.Sink(in, "out", d.sink(func(c *sinks.PostgresConfig[stock]) { c.MostRows = 10 }))
	graph, err := p.Build()
	require.NoError(t, err)
	admin, err := kafka.NewAdmin(t.Context(), kafka.Config{Brokers: addrs})
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	changes, err := router.Plan(t.Context(), admin, router.Topics(router.TopicOptions{}, graph))
	require.NoError(t, err)
	require.NoError(t, router.Apply(t.Context(), admin, changes, func(router.Change) {}))
	r, err := router.New(router.Config{Kafka: kafka.Config{Brokers: addrs}}, graph)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()

	const total = 5000
	for i := range total / 100 {
		records := make([]brokertest.Record, 100)
		for j := range records {
			n := i*100 + j
			records[j] = brokertest.Record{Key: fmt.Appendf(nil, "%d", n%17), Value: fmt.Appendf(nil, `{"SKU":"s","Count":%d}`, n)}
		}
		brokertest.Produce(t, addrs, "shop.in", records...)
		if i == 15 || i == 30 {
			out, err := exec.CommandContext(t.Context(), "sh", "-c", restart).CombinedOutput()
			require.NoError(t, err, string(out))
		}
	}
	require.Eventually(t, func() bool {
		again, err := pgx.Connect(t.Context(), d.url) // the test's own connection has ended too
		if err != nil {
			return false
		}
		defer func() { _ = again.Close(context.Background()) }()
		var n int
		return again.QueryRow(t.Context(), "SELECT count(DISTINCT count) FROM "+d.table).Scan(&n) == nil && n == total
	}, time.Minute, 50*time.Millisecond)
	stop()
	require.NoError(t, <-ended)
	d.conn, err = pgx.Connect(t.Context(), d.url)
	require.NoError(t, err)
	require.Len(t, d.rows("count"), total)
	require.Empty(t, brokertest.ReadAll(t, addrs, "shop.out.poison"))
}

func BenchmarkRealPostgres(b *testing.B) {
	url := os.Getenv("PENSTOCK_TEST_POSTGRES")
	require.NotEmpty(b, url)
	conn, err := pgx.Connect(b.Context(), url)
	require.NoError(b, err)
	defer func() { _ = conn.Close(context.Background()) }()
	table := fmt.Sprintf("b%d", rand.Uint64())
	_, err = conn.Exec(b.Context(), "CREATE TABLE "+table+" (sku text, count int, message_id text PRIMARY KEY)")
	require.NoError(b, err)
	cfg := stockConfig(url)
	cfg.Table = table
	n := sinkOf(b, sinks.Postgres(cfg))
	require.NoError(b, n.Open(b.Context()))
	defer func() { require.NoError(b, n.Close(context.Background())) }()
	const size = 500
	offset := 0
	b.ReportAllocs()
	for b.Loop() {
		ds, outs, errs := make([]*pipeline.Delivery, size), make([]*pipeline.Outputs, size), make([]error, size)
		for i := range ds {
			ds[i], outs[i] = delivered(`{"SKU":"pen","Count":1}`), &pipeline.Outputs{}
			ds[i].ID = fmt.Sprint(offset)
			offset++
		}
		n.Batch.Calls[0](b.Context(), ds, outs, errs)
		for _, err := range errs {
			require.NoError(b, err)
		}
	}
	b.ReportMetric(float64(offset)/b.Elapsed().Seconds(), "rows/s")
}
