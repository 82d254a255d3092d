package chaos

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/pulse"
	"github.com/penstock/penstock/internal/chaos/topics"
)

// crew are the workers of a run: of each stage the same number, in slots.
type crew struct {
	cfg    Config
	stages []flow.Stage
	slots  [][]*process   // by stage
	starts map[string]int // of each slot

	network  *network
	nodes    *nodes
	logs     *follower
	pipes    *observer
	happened happened

	watchers sync.WaitGroup
	mu       sync.Mutex
	failures []error // workers that ended by themselves
}

func newCrew(cfg Config) *crew {
	c := &crew{
		cfg: cfg, stages: cfg.stages(), starts: map[string]int{},
		nodes: &nodes{cfg: cfg}, happened: happened{phases: Histogram{}},
	}
	c.slots = make([][]*process, len(c.stages))
	for i := range c.slots {
		c.slots[i] = make([]*process, cfg.Processes)
	}
	return c
}

// command is a worker's command with the flags that all have.
func (c *crew) command(flags ...string) []string {
	brokers := c.cfg.Brokers
	if len(c.cfg.Links) > 0 {
		brokers = nil
		for _, link := range c.cfg.Links {
			brokers = append(brokers, link.Worker)
		}
	}
	command := append([]string{}, c.cfg.Worker...)
	command = append(command, "--brokers", strings.Join(brokers, ","), "--pipeline", c.cfg.Pipeline,
		"--chance", strconv.Itoa(c.cfg.trouble().Chance), "--slow", c.cfg.SlowWait.String())
	if c.cfg.Mode == ExactlyOnce {
		command = append(command, "--exactly-once")
	}
	return append(command, flags...)
}

// makeTopics lets a worker make the topics.
func (c *crew) makeTopics(ctx context.Context) error {
	p, err := startProcess(ctx, "topics", c.command("--make-topics"), c.cfg.Environment, filepath.Join(c.cfg.Dir, "topics.log"), nil)
	if err != nil {
		return err
	}
	<-p.ended
	if p.err != nil {
		return fmt.Errorf("make the topics: %w: see %s", p.err, filepath.Join(c.cfg.Dir, "topics.log"))
	}
	return c.awaitTopics(ctx)
}

// topicPatience is how long the brokers may take to know the topics.
const topicPatience = 30 * time.Second

// awaitTopics waits until each broker knows the topics.
func (c *crew) awaitTopics(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, topicPatience)
	defer cancel()
	reader, err := topics.New(c.cfg.Brokers)
	if err != nil {
		return err
	}
	defer reader.Close()
	names := []string{flow.Topic(c.cfg.Pipeline, flow.In)}
	for _, s := range c.stages {
		names = append(names, flow.Topic(c.cfg.Pipeline, s.Name), flow.PoisonTopic(c.cfg.Pipeline, s.Name), flow.RetryLog(c.cfg.Pipeline, s))
	}
	return reader.Await(ctx, names...)
}

// startAll fills every slot, and waits until all workers have their shares.
func (c *crew) startAll(ctx context.Context) error {
	for stage := range c.slots {
		for slot := range c.slots[stage] {
			if err := c.start(ctx, stage, slot); err != nil {
				return err
			}
		}
	}
	for _, slots := range c.slots {
		for _, p := range slots {
			if err := p.awaitReady(); err != nil {
				return err
			}
		}
	}
	return nil
}

// start puts a new worker into a slot.
func (c *crew) start(ctx context.Context, stage, slot int) error {
	p, err := c.spawn(ctx, stage, slot)
	if err == nil {
		c.slots[stage][slot] = p
	}
	return err
}

// spawn starts a worker of the stage, and watches that it does not end by itself.
func (c *crew) spawn(ctx context.Context, stage, slot int) (*process, error) {
	s := c.stages[stage]
	of := fmt.Sprintf("%s-%d", s.Name, slot)
	c.starts[of]++
	name := fmt.Sprintf("%s.%d", of, c.starts[of])
	path := filepath.Join(c.cfg.Dir, name+".pulse")
	if err := pulse.Create(path); err != nil {
		return nil, err
	}
	beat, _, err := pulse.Open(path) // mapped as long as the run lasts
	if err != nil {
		return nil, err
	}
	command := c.command("--stages", s.Name, "--session", c.cfg.Session.String(), "--stop", c.cfg.Stop.String(), "--name", name, "--pulse", path)
	p, err := startProcess(ctx, name, command, c.cfg.Environment, filepath.Join(c.cfg.Dir, of+".log"), beat)
	if err != nil {
		return nil, err
	}
	c.watchers.Go(func() {
		<-p.ended
		if !p.stopping.Load() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.failures = append(c.failures, p.unexpected())
		}
	})
	return p, nil
}

// closeAll closes all workers side by side, and returns what went wrong with any
// of them, at any time.
func (c *crew) closeAll() error {
	var closing sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, slots := range c.slots {
		for _, p := range slots {
			if p == nil || p.stopping.Load() {
				continue
			}
			closing.Go(func() {
				err := p.close()
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			})
		}
	}
	closing.Wait()
	c.watchers.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(append(errs, c.failures...)...)
}

// clock is how times are written in the log.
const clock = "15:04:05.000"

// logf tells what happens.
func (c *crew) logf(format string, args ...any) {
	fmt.Fprintf(c.cfg.Log, time.Now().Format(clock)+" "+format+"\n", args...)
}
