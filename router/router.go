package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// Router runs stages and sources of pipelines in this process. It is for one
// Run.
type Router struct {
	cfg     Config
	graphs  []*pipeline.Graph
	stages  []*stage
	sources []*source
	ready   chan struct{}

	mu      sync.Mutex
	joining map[*stage]bool // stages that have not been given claims yet
}

// New returns a Router for the stages and sources that the configuration
// chooses. The error lists every mistake.
func New(cfg Config, graphs ...*pipeline.Graph) (*Router, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure router: %w", err)
	}
	r := &Router{cfg: cfg, graphs: graphs, ready: make(chan struct{}), joining: map[*stage]bool{}}
	stages, sources, err := choose(cfg, graphs)
	if err != nil {
		return nil, err
	}
	for _, n := range stages {
		s, err := newStage(r, n)
		if err != nil {
			return nil, err
		}
		r.stages = append(r.stages, s)
		r.joining[s] = true
	}
	for _, n := range sources {
		r.sources = append(r.sources, newSource(r, n))
	}
	return r, nil
}

// Ready is closed when every stage has been given its share of the partitions
// for the first time.
func (r *Router) Ready() <-chan struct{} { return r.ready }

func (r *Router) joined(s *stage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.joining[s] {
		return
	}
	delete(r.joining, s)
	s.log.Info("the stage is ready", "reads", strings.Join(s.topics, ","))
	if len(r.joining) == 0 {
		close(r.ready)
	}
}

// Stats tells what the stages of this process have done so far, in topological
// order.
func (r *Router) Stats() []Stats {
	stats := make([]Stats, len(r.stages))
	for i, s := range r.stages {
		stats[i] = s.stats.read(s.node.Group)
	}
	return stats
}

// Run opens the filters, runs the stages and the sources, and stops when ctx
// ends: sources first, then the stages, which finish what they are at within
// the stop time-out, commit, and leave their groups. It returns nil after such
// a stop. A *MissingTopicsError says that topics have to be made first.
func (r *Router) Run(ctx context.Context) (err error) {
	if err := r.checkTopics(ctx); err != nil {
		return err
	}
	closeAll, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	wm, err := r.watermill()
	if err != nil {
		return err
	}
	if len(r.stages) == 0 {
		close(r.ready)
	}
	running := make(chan error, 1)
	go func() { running <- wm.Run(context.WithoutCancel(ctx)) }()
	stopSources := r.runSources(ctx)
	select {
	case <-ctx.Done():
		r.cfg.Logger.Info("stopping")
	case err = <-running: // nobody else closes it, so this is a failure
		running <- nil
	}
	return errors.Join(err, stopSources(), r.stop(wm), <-running)
}

// stop drains the stages.
func (r *Router) stop(wm *message.Router) error {
	// The router's own wait for handlers is cut off after its time-out, while
	// a filter that does not return goes on. Its message is not committed.
	err := wm.Close()
	for _, s := range r.stages {
		err = errors.Join(err, s.sub.Close())
	}
	if err != nil {
		return fmt.Errorf("stop the stages: %w", err)
	}
	return nil
}

// watermill makes the Watermill router with a handler a stage.
func (r *Router) watermill() (*message.Router, error) {
	// What Watermill reports of its own doing is detail to us.
	logger := watermill.NewSlogLoggerWithLevelMapping(r.cfg.Logger, map[slog.Level]slog.Level{
		slog.LevelInfo: slog.LevelDebug,
	})
	wm, err := message.NewRouter(message.RouterConfig{CloseTimeout: r.cfg.StopTimeout + closeMargin}, logger)
	if err != nil {
		return nil, fmt.Errorf("make the Watermill router: %w", err)
	}
	for _, s := range r.stages {
		wm.AddConsumerHandler(s.node.Group, s.node.Group, s.sub, s.handle)
	}
	return wm, nil
}

// closeMargin is how much longer than a drain the Watermill router waits for
// its handlers: for the last commit and the leaving of the group.
const closeMargin = 15 * time.Second

// open opens the filters, the sources and what they publish with. What it
// returns closes them.
func (r *Router) open(ctx context.Context) (closeAll func() error, err error) {
	var opened []func(context.Context) error
	closeAll = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.StopTimeout)
		defer cancel()
		var errs []error
		for _, closeOne := range slices.Backward(opened) {
			errs = append(errs, closeOne(ctx))
		}
		return errors.Join(errs...)
	}
	for _, s := range r.stages {
		if err := s.node.Open(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("open the filter of stage %s (%s): %w", s.node.Group, s.node.Location, err), closeAll())
		}
		opened = append(opened, s.node.Close)
	}
	for _, s := range r.sources {
		if err := s.open(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("open source %s (%s): %w", s.name, s.node.Location, err), closeAll())
		}
		opened = append(opened, s.close)
	}
	return closeAll, nil
}

// checkTopics makes sure that there is everything to read from and write to.
func (r *Router) checkTopics(ctx context.Context) error {
	admin, err := kafka.NewAdmin(ctx, r.cfg.Kafka)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	changes, err := Plan(ctx, admin, r.needed())
	if err != nil {
		return err
	}
	return missing(changes)
}
