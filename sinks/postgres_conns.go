package sinks

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresConns are connections that are used by one at a time. Each is made when
// it is first needed, and made anew when it has failed.
type postgresConns struct {
	cfg  *pgx.ConnConfig
	free chan *pgx.Conn // as many as there may be; nil is one that is not made
}

func newPostgresConns(cfg *pgx.ConnConfig, most int) *postgresConns {
	p := &postgresConns{cfg: cfg, free: make(chan *pgx.Conn, most)}
	for range most {
		p.free <- nil
	}
	return p
}

// use calls f with a connection that works, as far as is known.
func (p *postgresConns) use(ctx context.Context, f func(*pgx.Conn) error) error {
	var c *pgx.Conn
	select {
	case c = <-p.free:
	case <-ctx.Done():
		return fmt.Errorf("wait for a connection: %w", ctx.Err())
	}
	if c == nil || c.IsClosed() {
		var err error
		if c, err = pgx.ConnectConfig(ctx, p.cfg); err != nil {
			p.free <- nil
			return err
		}
	}
	defer func() { // also after a panic of f
		if c.IsClosed() {
			p.drop(ctx)
		}
		p.free <- c
	}()
	return f(c)
}

// drop ends the connections that nobody uses: where one has failed, the others,
// which are to the same database, would most likely fail the next who use them.
func (p *postgresConns) drop(ctx context.Context) {
	for range cap(p.free) {
		select {
		case c := <-p.free:
			if c != nil && !c.IsClosed() {
				go bye(ctx, c)
			}
			p.free <- nil
		default:
			return
		}
	}
}

func bye(ctx context.Context, c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closePatience)
	defer cancel()
	_ = c.Close(ctx) // what was written is written
}

// closePatience is how long a connection may take to say good-bye.
const closePatience = 5 * time.Second

// close ends the connections. Nobody may use them any more.
func (p *postgresConns) close(ctx context.Context) {
	for range cap(p.free) {
		if c := <-p.free; c != nil {
			bye(ctx, c)
		}
	}
}
