package router

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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
	life    *lifecycle // of the Run as a whole

	id       string    // of this process, as others know it
	solitude *solitude // of a message, in this process

	routes  http.Handler           // of the sources that are served; nil: none is
	address atomic.Pointer[string] // where they are

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
	r := &Router{cfg: cfg, graphs: graphs, ready: make(chan struct{}), life: newLifecycle(), joining: map[*stage]bool{}, id: rand.Text()}
	r.solitude = newSolitude(r.busy)
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
	if r.routes, err = routes(r.sources); err != nil {
		return nil, err
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
//
// A stage or source that fails is begun again, with growing waits, while the
// others go on. So is an Open that fails, unless its error is marked by
// pipeline.Reject: then everything stops, and Run returns it.
func (r *Router) Run(ctx context.Context) (err error) {
	if err := r.checkTopics(ctx); err != nil {
		return err
	}
	served, err := r.listen(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, served.close(ctx)) }()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	context.AfterFunc(ctx, r.stopBegins)
	if err := r.onStart(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	r.life.set(StateRunning)
	return errors.Join(r.run(ctx, fail), r.onStop(ctx))
}

// run runs what there is from its opening to its closing. It calls fail with
// what nothing can go on from.
func (r *Router) run(ctx context.Context, fail context.CancelCauseFunc) error {
	wm, err := r.watermill()
	if err != nil {
		return err
	}
	if len(r.stages) == 0 {
		close(r.ready)
	}
	running := make(chan error, 1)
	go func() { running <- wm.Run(context.WithoutCancel(ctx)) }()
	select {
	case <-wm.Running():
	case err := <-running:
		return err
	}
	l := &launch{router: r, wm: wm, fail: fail}
	stopped := l.begin(ctx)
	select {
	case <-ctx.Done():
		r.cfg.Logger.Info("stopping")
	case err = <-running: // nobody else closes it, so this is a failure
		running <- nil
		fail(nil)
	}
	if cause, final := errors.AsType[*finalError](context.Cause(ctx)); final {
		err = errors.Join(err, cause)
	}
	return errors.Join(err, stopped(), r.stop(wm), <-running, l.close(ctx))
}

// stopBegins says that no more is begun.
func (r *Router) stopBegins() {
	r.life.set(StateStopping)
	for _, s := range r.stages {
		s.life.set(StateStopping)
	}
	for _, s := range r.sources {
		s.life.set(StateStopping)
	}
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

// watermill makes the Watermill router. Each stage adds its handler when its
// filter is open.
func (r *Router) watermill() (*message.Router, error) {
	// What Watermill reports of its own doing is detail to us.
	logger := watermill.NewSlogLoggerWithLevelMapping(r.cfg.Logger, map[slog.Level]slog.Level{
		slog.LevelInfo: slog.LevelDebug,
	})
	wm, err := message.NewRouter(message.RouterConfig{CloseTimeout: r.cfg.StopTimeout + closeMargin}, logger)
	if err != nil {
		return nil, fmt.Errorf("make the Watermill router: %w", err)
	}
	return wm, nil
}

// closeMargin is how much longer than a drain the Watermill router waits for
// its handlers: for the last commit and the leaving of the group.
const closeMargin = 15 * time.Second

// How often, and after which wait, the topics are looked at again where the connection
// breaks meanwhile: long enough for others to take over from a broker that stops.
const (
	checkTries = 20
	checkPause = 250 * time.Millisecond
)

// checkTopics makes sure that there is everything to read from and write to.
func (r *Router) checkTopics(ctx context.Context) error {
	for try := 1; ; try++ {
		err := r.lookAtTopics(ctx)
		if !errors.Is(err, kafka.ErrConnectionLost) || try == checkTries || !sleep(checkPause, nil, ctx.Done()) {
			return err
		}
		r.cfg.Logger.Warn("looking at the topics again", "error", err)
	}
}

func (r *Router) lookAtTopics(ctx context.Context) error {
	admin, err := kafka.NewAdmin(ctx, r.cfg.Kafka)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	changes, err := Plan(ctx, admin, r.needed())
	if err != nil {
		return err
	}
	return errors.Join(missing(changes), r.checkOutside(ctx, admin))
}
