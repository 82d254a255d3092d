//go:build kafka

package router_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/kafkatest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/sinks"
	"github.com/penstock/penstock/sources"
)

// rightful is a pipeline on the secure Kafka, whose stages and sources each
// authenticate as a user of their name.
type rightful struct {
	secure *kafkatest.Secure
	graph  *pipeline.Graph
	name   string
}

func newRightful(t *testing.T) *rightful {
	t.Helper()
	p, name := named(t, func(p *pipeline.Pipeline) {
		in := pipeline.Source(p, "in", sources.Func(func(ctx context.Context, emit pipeline.Emit[[]byte]) error {
			for i := range 100 {
				if err := emit(ctx, pipeline.Trigger[[]byte]{ID: rand.Text(), Body: fmt.Append(nil, i)}); err != nil {
					return err
				}
			}
			return nil
		}, sources.Finite(), sources.Once()))
		work := pipeline.Stage(in, "work", filters.Map(func(_ context.Context, v []byte) ([]byte, error) {
			if bytes.HasSuffix(v, []byte("7")) {
				return nil, filters.Rejectf("%s is bad", v)
			}
			return v, nil
		}))
		pipeline.Sink(work, "keep", sinks.Func(func(context.Context, []byte) error { return nil }))
	})
	g, err := p.Build()
	require.NoError(t, err)
	r := &rightful{secure: kafkatest.SecureKafka(t), graph: g, name: name}
	makeTopics(t, r.secure.Brokers, g)
	return r
}

// parts are the stages and sources that rights are for, each with its rights.
func (r *rightful) parts() map[string][]kafkatest.Right {
	parts := map[string][]kafkatest.Right{}
	for _, a := range router.ACLs(r.graph) {
		parts[a.For] = append(parts[a.For], right(a))
	}
	return parts
}

func right(a router.ACL) kafkatest.Right {
	return kafkatest.Right{User: a.For, Resource: string(a.Resource), Name: a.Name, Prefixed: a.Prefixed, Operation: string(a.Operation)}
}

// trial is a run of one part, by the user of its name.
type trial struct {
	*router.Router

	log   *lockedBuffer
	ended chan struct{}
	err   error // set when ended
	stop  context.CancelFunc
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (r *rightful) run(t *testing.T, part string) *trial {
	t.Helper()
	s := r.secure
	tr := &trial{log: &lockedBuffer{}, ended: make(chan struct{})}
	cfg := router.Config{
		Kafka: kafka.Config{Brokers: s.SASL, TLS: &tls.Config{RootCAs: s.CA}, SASL: kafka.SASL{
			Mechanism: kafka.OAuthBearer,
			Token:     func() (string, error) { return s.Token(part, time.Now().Add(time.Hour)), nil },
		}},
		Logger: slog.New(slog.NewTextHandler(tr.log, nil)),
	}
	_, short, _ := strings.Cut(part, ".")
	if slices.ContainsFunc(r.graph.Sources, func(n *pipeline.SourceNode) bool { return n.Name == short }) {
		cfg.Sources = []string{short}
	} else {
		cfg.Stages = []string{short}
	}
	var err error
	tr.Router, err = router.New(cfg, r.graph)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	tr.stop = stop
	go func() {
		defer close(tr.ended)
		tr.err = tr.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-tr.ended })
	return tr
}

// fails waits until the run has failed, or says that something did while it
// goes on trying, and returns what was said.
func (tr *trial) fails(t *testing.T) string {
	t.Helper()
	defer func() { tr.stop(); <-tr.ended }()
	said := func() bool {
		select {
		case <-tr.ended:
			return true
		default:
			return strings.Contains(tr.log.String(), "level=ERROR")
		}
	}
	require.Eventually(t, said, waitFor, tick, tr.log)
	tr.stop()
	<-tr.ended
	return fmt.Sprint(tr.err, tr.log)
}

// finishes waits until the source is done, or the stage with n messages.
func (tr *trial) finishes(t *testing.T, n int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case <-tr.Ready():
	case <-tr.ended:
		require.NoError(t, errors.Join(tr.err, errors.New("ended before it was ready")), tr.log)
	case <-ctx.Done():
		require.Fail(t, "not ready", tr.log)
	}
	if len(tr.Stats()) > 0 {
		require.Eventually(t, func() bool { return tr.Stats()[0].In == n }, waitFor, tick, tr.log)
	} else {
		require.Eventually(t, func() bool { return strings.Contains(tr.log.String(), "the source is done") }, waitFor, tick, tr.log)
	}
	tr.stop()
	<-tr.ended
	require.NoError(t, tr.err)
	require.NotContains(t, tr.log.String(), "level=ERROR")
}

// The rights that ACLs lists are enough, and without any one of them its owner
// does not run but says what it lacks.
func TestSecureRightsAreEnoughAndNoneIsTooMuch(t *testing.T) {
	r := newRightful(t)
	parts := r.parts()
	require.Len(t, parts, 3)
	for _, c := range []struct {
		part string
		n    int64
	}{{".in", 100}, {".work", 100}, {".keep", 90}} {
		r.secure.Grant(t, parts[r.name+c.part]...)
		r.run(t, r.name+c.part).finishes(t, c.n)
	}
	require.Len(t, brokertest.ReadAll(t, r.secure.Brokers, r.name+".work"), 90)
	require.Len(t, poisoned(t, r.secure.Brokers, r.name+".work.poison"), 10)

	for part, rights := range parts {
		for _, without := range rights {
			r.secure.Revoke(t, without)
			said := r.run(t, part).fails(t)
			require.Contains(t, said, without.Name, "%+v", without)
			require.Contains(t, said, "not authorized", "%+v", without)
			r.secure.Grant(t, without)
		}
	}
}

// A stage that loses the right to write in the middle says which topic it is,
// poisons nothing, and goes on when it has the right again: nothing is lost.
func TestSecureLostRightToWrite(t *testing.T) {
	r := newRightful(t)
	parts := r.parts()
	work, topic := r.name+".work", r.name+".work"
	r.secure.Grant(t, parts[r.name+".in"]...)
	r.secure.Grant(t, parts[work]...)
	r.run(t, r.name+".in").finishes(t, 100)
	running := r.run(t, work)
	require.Eventually(t, func() bool { return running.Stats()[0].In == 100 }, waitFor, tick)

	write := kafkatest.Right{User: work, Resource: "topic", Name: topic, Operation: "Write"}
	describe := kafkatest.Right{User: work, Resource: "topic", Name: topic, Operation: "Describe"}
	r.secure.Grant(t, describe)
	r.secure.Revoke(t, write)
	brokertest.Produce(t, r.secure.Brokers, r.name+".in", numbered(10, 7)...)
	require.Eventually(t, func() bool {
		said := running.log.String()
		return strings.Contains(said, "level=ERROR") && strings.Contains(said, "topic "+topic) && strings.Contains(said, "not authorized")
	}, waitFor, tick, running.log)
	require.Len(t, brokertest.ReadAll(t, r.secure.Brokers, topic), 90)

	r.secure.Grant(t, write)
	require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, r.secure.Brokers, topic)) >= 90+70 }, waitFor, tick, running.log)
	running.stop()
	<-running.ended
	require.NoError(t, running.err)
	late := brokertest.ReadAll(t, r.secure.Brokers, topic)
	late = slices.DeleteFunc(late, func(rec brokertest.Record) bool { return rec.Key == nil })
	requireSequences(t, late, 10, 7)
	require.Len(t, poisoned(t, r.secure.Brokers, topic+".poison"), 10)
}
