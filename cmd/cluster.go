package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/router/kafka"
)

// cluster is what a command talks to.
type cluster struct {
	kafka    kafka.Config
	embedded bool
	broker   *broker.Broker // the embedded broker where this process runs it
}

// Close ends the embedded broker where this process runs it.
func (c *cluster) Close() error {
	if c.broker == nil {
		return nil
	}
	return c.broker.Close()
}

// start finds the cluster for a run: where none is named, it starts the
// embedded broker, or joins the one that runs on the data directory already.
func (c *connection) start(ctx context.Context, log *slog.Logger) (*cluster, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	if c.remote() {
		c.warn(log)
		return &cluster{kafka: cfg}, nil
	}
	b, err := broker.Start(ctx, broker.Config{Dir: c.dataDir, Logger: log})
	if used, ok := errors.AsType[*broker.InUseError](err); ok && len(used.Addrs) > 0 {
		log.Info("using the embedded broker, for development and tests only, of another process", "pid", used.PID, "addrs", strings.Join(used.Addrs, ","))
		return &cluster{kafka: kafka.Config{Brokers: used.Addrs}, embedded: true}, nil
	}
	if err != nil {
		return nil, err
	}
	return &cluster{kafka: kafka.Config{Brokers: b.Addrs()}, embedded: true, broker: b}, nil
}

// find finds the cluster for a command that looks at what is there: where none
// is named, it is the embedded broker that runs on the data directory, or else
// one for the time of the command.
func (a *app) find(ctx context.Context, c *connection) (*cluster, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	if c.remote() {
		c.warn(quietLog(a.stderr))
		return &cluster{kafka: cfg}, nil
	}
	addrs, err := broker.Find(ctx, c.dataDir)
	switch {
	case errors.Is(err, broker.ErrNoData):
		return nil, fmt.Errorf("there is no data of an embedded broker in %s: name a Kafka cluster with --%s, another directory with --%s, or begin with %q",
			c.dataDir, brokersFlag, dataDirFlag, a.beginWith())
	case errors.Is(err, broker.ErrNotRunning):
		return c.start(ctx, quietLog(a.stderr))
	case err != nil:
		return nil, err
	}
	return &cluster{kafka: kafka.Config{Brokers: addrs}, embedded: true}, nil
}

// withCluster calls do with the cluster that find finds, once it answers.
func (a *app) withCluster(ctx context.Context, c *connection, do func(*cluster, *kafka.Admin) error) (err error) {
	cl, err := a.find(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cl.Close()) }()
	admin, err := cl.admin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	return do(cl, admin)
}

// beginWith is the command that makes a data directory.
func (a *app) beginWith() string {
	if a.program.Pipelines == nil {
		return invocation(a.name) + " broker"
	}
	return invocation(a.name) + " run"
}

// reachTimeout is how long a cluster may take to answer for the first time.
const reachTimeout = 10 * time.Second

var errNoAnswer = fmt.Errorf("no answer within %v", reachTimeout)

// admin connects to the cluster, or says within a bounded time that it cannot
// be reached.
func (c *cluster) admin(ctx context.Context) (*kafka.Admin, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, reachTimeout, errNoAnswer)
	defer cancel()
	admin, err := kafka.NewAdmin(bounded, c.kafka)
	if err == nil {
		return admin, nil
	}
	if ctx.Err() != nil {
		return nil, interrupted("stopped by %w while connecting to Kafka", context.Cause(ctx))
	}
	return nil, &unreachableError{brokers: c.kafka.Brokers, err: err}
}

// unreachableError says that a cluster does not answer, or not as it should.
type unreachableError struct {
	brokers []string
	err     error
}

// sarama's own words for it, which stand before the reason.
var boilerplate = regexp.MustCompile(`kafka: client has run out of available brokers to talk to: (\d+ errors? occurred: \* )?`)

// Error says what to do where the transport does not know.
func (e *unreachableError) Error() string {
	at := strings.Join(e.brokers, ", ")
	if op, ok := errors.AsType[*net.OpError](e.err); ok && op.Op == "dial" {
		return fmt.Sprintf("cannot reach Kafka at %s (%v): check --%s, and whether the brokers run", at, op, brokersFlag)
	}
	if errors.Is(e.err, errNoAnswer) {
		return fmt.Sprintf("cannot reach Kafka at %s (%v): check --%s, and whether this port wants TLS", at, errNoAnswer, brokersFlag)
	}
	return boilerplate.ReplaceAllString(strings.Join(strings.Fields(e.err.Error()), " "), "")
}

func (e *unreachableError) Unwrap() error { return e.err }
