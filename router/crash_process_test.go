package router_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// The environment of a process that the tests here start.
const (
	crashBrokers = "PENSTOCK_CRASH_BROKERS"
	crashMode    = "PENSTOCK_CRASH_MODE"
	crashLanes   = "PENSTOCK_CRASH_LANES"
)

// What the filter of such a process does.
const (
	modeFine  = "fine"  // nothing special
	modeOne   = "one"   // ends the process at the message "exit"
	modeAll   = "all"   // ends the process at each message
	modeLate  = "late"  // fails at the message "exit", and ends the process when it is tried from the retry log
	modeBatch = "batch" // as one, and takes batches
	modeOnce  = "once"  // as one, and the stage is exactly once
	modeSoon  = "soon"  // as late, and the stage is exactly once
)

// crashed is the exit code by which the filter ends the process.
const crashed = 3

// crashes is the pipeline of these tests.
func crashes(mode string, lanes int) *pipeline.Pipeline {
	p := pipeline.New("crash")
	in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(4))
	settings := []pipeline.Option[[]byte]{pipeline.Open(), pipeline.Partitions(4), pipeline.Lanes(lanes)}
	one := func(ctx context.Context, v []byte) ([]byte, error) {
		late := (mode == modeLate || mode == modeSoon) && string(v) == "exit"
		switch {
		case late && pipeline.FromContext(ctx).Attempt == 1:
			return nil, errBoom
		case late, mode == modeAll, mode != modeFine && string(v) == "exit":
			os.Exit(crashed) //nolint:revive // it is what the tests are about
		}
		return v, nil
	}
	if mode == modeOnce || mode == modeSoon {
		settings = append(settings, pipeline.ExactlyOnce())
	}
	if mode == modeLate || mode == modeSoon {
		settings = append(settings, pipeline.Retry(1, pipeline.Constant(0)), pipeline.Park(20, pipeline.Constant(tick)))
	}
	if mode == modeBatch {
		exits := func(_ int, items []pipeline.Item[[]byte, []byte]) error {
			for _, item := range items {
				_, _ = one(context.Background(), item.Body)
			}
			return nil
		}
		pipeline.Stage(in, "work", &gathering{max: 50, wait: tick, fail: exits}, pipeline.Open(), pipeline.Partitions(4))
		return p
	}
	pipeline.Stage(in, "work", filters.Map(one), settings...)
	return p
}

// TestCrashingProcess is a process that the tests here start. It tells when it has
// halted, and stops when its input ends.
func TestCrashingProcess(t *testing.T) {
	brokers := os.Getenv(crashBrokers)
	if brokers == "" {
		return // it is the tests' own process
	}
	var lanes int
	_, err := fmt.Sscan(os.Getenv(crashLanes), &lanes)
	require.NoError(t, err)
	g, err := crashes(os.Getenv(crashMode), lanes).Build()
	require.NoError(t, err)
	r, err := router.New(router.Config{
		Kafka: kafka.Config{Brokers: strings.Split(brokers, ",")}, SessionTimeout: 4 * time.Second, CommitInterval: 50 * time.Millisecond,
	}, g)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	go func() {
		for looks := time.NewTicker(tick); ctx.Err() == nil; <-looks.C {
			for _, p := range r.Status().Stages[0].Crashes {
				if p.Halted {
					fmt.Println("halted")
					return
				}
			}
		}
	}()
	require.NoError(t, r.Run(ctx))
}

// withCulprit is n records of each key, and one more record "exit" in their midst.
func withCulprit(keys, n int) []brokertest.Record {
	records := numbered(keys, n)
	return slices.Insert(records, len(records)/2, brokertest.Record{Key: []byte("key-1"), Value: []byte("exit")})
}

// different is how many of the records are, by key and value.
func different(records []brokertest.Record) int {
	seen := map[string]bool{}
	for _, r := range records {
		seen[string(r.Key)+"="+string(r.Value)] = true
	}
	return len(seen)
}

// witness begins the keys of witnesses.
const witness = "witness-"

// witnesses are messages of other keys, some for each partition: that one of them
// succeeds shows that not all do what a parked culprit does, when all else is done but
// what waits behind it.
func witnesses() []brokertest.Record {
	var records []brokertest.Record
	for i := range 16 {
		records = append(records, brokertest.Record{Key: fmt.Appendf(nil, "%s%d", witness, i), Value: []byte("0")})
	}
	return records
}

func withoutWitnesses(records []brokertest.Record) []brokertest.Record {
	return slices.DeleteFunc(records, func(r brokertest.Record) bool { return strings.HasPrefix(string(r.Key), witness) })
}

// The limits that hold by default.
const (
	crashesBeforeAlone = 3
	crashesAlone       = 2
)

// crashPatience is how long these tests wait: each crash costs a session time-out.
const crashPatience = 3 * time.Minute

// One message ends each process that takes it up. It is found and poisoned, all the
// others arrive in order, and the processes crash as often as they must and no more.
func TestAMessageThatCrashesIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode             string
		lanes, processes int
		keys, each       int
	}{
		{modeOne, 16, 4, 100, 100},
		{modeOne, 1, 1, 20, 50},
		{modeBatch, 1, 2, 20, 50},
		{modeLate, 4, 2, 20, 50},
		{modeOnce, 4, 2, 20, 50},
		{modeSoon, 4, 2, 20, 50},
	} {
		late := c.mode == modeLate || c.mode == modeSoon
		read := brokertest.ReadAll
		if c.mode == modeOnce || c.mode == modeSoon {
			read = brokertest.ReadCommitted
		}
		t.Run(fmt.Sprintf("%s/%d lanes/%d processes", c.mode, c.lanes, c.processes), func(t *testing.T) {
			t.Parallel()
			addrs := brokertest.New(t).Addrs()
			g, err := crashes(c.mode, c.lanes).Build()
			require.NoError(t, err)
			makeTopics(t, addrs, g)
			brokertest.Produce(t, addrs, "crash.in", withCulprit(c.keys, c.each)...)
			var count atomic.Int64
			var all []*supervised
			for range c.processes {
				all = append(all, supervise(t, addrs, c.mode, c.lanes, &count))
			}
			require.Eventually(t, func() bool {
				if len(read(t, addrs, "crash.work.poison")) == 0 {
					if late {
						brokertest.Produce(t, addrs, "crash.in", witnesses()...)
					}
					return false
				}
				return lag(t, addrs, "crash.work", "crash.in") == 0 &&
					different(withoutWitnesses(read(t, addrs, "crash.work"))) == c.keys*c.each // what is parked comes late
			}, crashPatience, 20*tick)
			for _, s := range all {
				s.stop()
			}
			outputs := withoutWitnesses(read(t, addrs, "crash.work"))
			if c.mode == modeOnce || c.mode == modeSoon {
				requireSequences(t, outputs, c.keys, c.each) // nothing is repeated
			} else {
				requireRewinds(t, outputs, c.keys, c.each)
			}
			stories := poisoned(t, addrs, "crash.work.poison")
			require.Len(t, stories, 1)
			require.Equal(t, "exit", string(stories[0].Value))
			require.Contains(t, stories[0].LastError, "the process ended while this message was alone at work, 2 times")
			require.GreaterOrEqual(t, stories[0].Attempts, crashesAlone)
			if !late { // there the one that failed is known if it was parked then
				require.Equal(t, crashesAlone, stories[0].Attempts)
			}
			most := crashesBeforeAlone + crashesAlone
			if late { // the first may come before it is committed that the message is parked
				most++
			}
			require.GreaterOrEqual(t, count.Load(), int64(crashesBeforeAlone+crashesAlone), "crashes")
			require.LessOrEqual(t, count.Load(), int64(most), "crashes")
		})
	}
}

// Each message ends the process: that is the program's fault and no message's. After a
// bounded number of crashes it stays up, begins nothing, and says so. What replaces it
// finds all as it was.
func TestAMistakeInTheProgramPoisonsNothing(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	g, err := crashes(modeAll, 4).Build()
	require.NoError(t, err)
	makeTopics(t, addrs, g)
	const keys, each = 20, 20
	brokertest.Produce(t, addrs, "crash.in", numbered(keys, each)...)
	var count atomic.Int64
	s := supervise(t, addrs, modeAll, 4, &count)
	select {
	case <-s.halted:
	case <-time.After(crashPatience):
		t.Fatal("it does not halt")
	}
	// Before it is alone a partition's messages can end it so often; then three are held,
	// and of the other partitions one each may be on its way there.
	const held, partitions = 3, 4
	t.Log(count.Load(), "crashes")
	require.LessOrEqual(t, count.Load(), int64(partitions*crashesBeforeAlone+held*crashesAlone+(partitions-held)*(crashesAlone-1)), "crashes")
	before := count.Load()
	s.stop()
	require.Equal(t, before, count.Load(), "crashes after it has halted")
	require.Empty(t, brokertest.ReadAll(t, addrs, "crash.work.poison"))
	require.Empty(t, brokertest.ReadAll(t, addrs, "crash.work"))

	mended := start(t, addrs, crashes(modeFine, 4), router.Config{})
	mended.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "crash.work"), keys, each)
	require.Empty(t, brokertest.ReadAll(t, addrs, "crash.work.poison"))
}
