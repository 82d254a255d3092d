package cmd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// progress tells how far the stages of this process are, by what is committed:
// so it counts what other processes do too.
type progress struct {
	admin      *kafka.Admin
	stages     []*stageProgress
	linesEvery time.Duration
}

// stageProgress is how far a stage is, from where it was when the run began.
type stageProgress struct {
	group       string
	topics      []string
	begin       int64 // offsets that were done before, of all partitions
	known       bool  // begin is
	done, total int64
}

// newProgress is called before the run begins.
func newProgress(ctx context.Context, admin *kafka.Admin, r *router.Router, graphs []*pipeline.Graph) *progress {
	p := &progress{admin: admin, linesEvery: 5 * time.Second}
	runs := map[string]bool{}
	for _, s := range r.Stats() {
		runs[s.Stage] = true
	}
	for _, g := range graphs {
		for _, n := range g.Stages {
			if !runs[n.Group] {
				continue
			}
			s := &stageProgress{group: n.Group}
			for _, in := range n.Inputs {
				s.topics = append(s.topics, in.Topic)
			}
			p.stages = append(p.stages, s)
		}
	}
	p.read(ctx)
	return p
}

// read brings the figures up to date. What cannot be read stays as it was.
func (p *progress) read(ctx context.Context) {
	for _, s := range p.stages {
		lags, err := p.admin.Lag(ctx, s.group, s.topics...)
		if err != nil {
			continue
		}
		var done, total int64
		for _, l := range lags {
			done += l.End - l.Behind()
			total += l.End
		}
		if !s.known {
			s.begin, s.known = done, true
		}
		s.done, s.total = done-s.begin, total-s.begin
	}
}

// barsEvery is how often bars are drawn.
const barsEvery = 250 * time.Millisecond

// showProgress shows progress on standard error until it is hidden: as bars on
// a terminal, else as a line in the log now and then.
func showProgress(ctx context.Context, j *job, p *progress) (hide func()) {
	ctx, cancel := context.WithCancel(ctx)
	var shown sync.WaitGroup
	_, isTerminal := terminalWidth(j.stderr.to)
	shown.Go(func() {
		if isTerminal {
			p.bars(ctx, j.stderr)
		} else {
			p.lines(ctx, j.log)
		}
	})
	return func() {
		cancel()
		shown.Wait()
	}
}

func (p *progress) lines(ctx context.Context, log *slog.Logger) {
	every(ctx, p.linesEvery, func() {
		p.read(ctx)
		attrs := make([]any, 0, 2*len(p.stages))
		for _, s := range p.stages {
			attrs = append(attrs, s.group, fmt.Sprintf("%d/%d", s.done, s.total))
		}
		log.Info("progress", attrs...)
	})
}

func (p *progress) bars(ctx context.Context, out *redirected) {
	terminal := out.to
	// Not of ctx: the last state is to be seen.
	container := mpb.New(mpb.WithOutput(terminal), mpb.WithWidth(64), mpb.WithRefreshRate(barsEvery))
	bars := make([]*mpb.Bar, len(p.stages))
	for i, s := range p.stages {
		bars[i] = container.New(0, mpb.BarStyle().Rbound("] "),
			mpb.PrependDecorators(decor.Name(s.group, decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.CountersNoUnit("%d/%d", decor.WCSyncSpace)))
	}
	restore := out.redirect(container) // so that the log goes above the bars
	every(ctx, barsEvery, func() { p.show(ctx, bars) })
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	p.show(last, bars)
	restore()
	for _, b := range bars {
		b.Abort(false) // a bar below its total would be waited for
	}
	container.Wait()
}

func (p *progress) show(ctx context.Context, bars []*mpb.Bar) {
	p.read(ctx)
	for i, s := range p.stages {
		bars[i].SetTotal(s.total, false)
		bars[i].SetCurrent(s.done)
	}
}

// every calls f now and then until ctx ends.
func every(ctx context.Context, interval time.Duration, f func()) {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			f()
		}
	}
}

// redirected is a writer that can be redirected for a while.
type redirected struct {
	to io.Writer

	mu    sync.Mutex
	other io.Writer
}

// Write implements io.Writer.
func (r *redirected) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.other != nil {
		return r.other.Write(b)
	}
	return r.to.Write(b)
}

func (r *redirected) redirect(to io.Writer) (restore func()) {
	set := func(w io.Writer) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.other = w
	}
	set(to)
	return func() { set(nil) }
}
