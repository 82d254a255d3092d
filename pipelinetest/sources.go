package pipelinetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// RunSource runs a source until it is done or ctx ends, which is no error, and has
// the stages do what can be done with what it puts. A trigger whose id was put
// before is not put again where the source says so.
func (d *Driver) RunSource(ctx context.Context, name string) error {
	d.t.Helper()
	n := d.source(name)
	if err := n.Open(ctx); err != nil {
		return fmt.Errorf("open source %s: %w", name, err)
	}
	err := n.Run(ctx, d.putOf(n))
	if ctx.Err() != nil {
		err = nil
	}
	if closeErr := n.Close(context.WithoutCancel(ctx)); err == nil && closeErr != nil {
		err = fmt.Errorf("close source %s: %w", name, closeErr)
	}
	return err
}

// putOf is what a source puts its triggers with.
func (d *Driver) putOf(n *pipeline.SourceNode) pipeline.PutFunc {
	seen := map[string]bool{}
	return func(ctx context.Context, ts ...pipeline.RawTrigger) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		var outs []kafka.Output
		for i := range ts {
			if n.Once && seen[ts[i].ID] {
				continue
			}
			seen[ts[i].ID] = true
			outs = append(outs, output(&ts[i]))
		}
		return d.on.put(ctx, outs)
	}
}

// source finds a source by its name.
func (d *Driver) source(name string) *pipeline.SourceNode {
	d.t.Helper()
	return find(d, "source", name, d.graph.Sources, func(n *pipeline.SourceNode) string { return n.Name })
}

// handlers are the sources that are served over HTTP.
type handlers struct {
	once sync.Once
	mux  *http.ServeMux
}

// Handler serves the sources of the pipeline that are served over HTTP, for
// httptest. They run until the test ends. What a request has put is through the
// stages, as far as that goes before time passes, when it is answered.
func (d *Driver) Handler() http.Handler {
	d.t.Helper()
	d.mux.once.Do(func() {
		d.mux.mux = http.NewServeMux()
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		for _, n := range d.graph.Sources {
			if n.Handler == nil {
				continue
			}
			d.mux.mux.Handle(n.Route, &starting{next: n.Handler})
			running.Go(func() {
				if err := d.RunSource(ctx, n.Name); err != nil {
					d.t.Errorf("source %s: %v", n.Name, err)
				}
			})
		}
		d.t.Cleanup(func() {
			stop()
			running.Wait()
		})
	})
	return d.mux.mux
}

// starting keeps the first requests waiting that come before their source is up:
// it refuses them as long as it is not.
type starting struct {
	next http.Handler

	mu sync.Mutex
	up bool
}

// startPatience bounds that wait, and startPause is how often it is looked.
const (
	startPatience = 5 * time.Second
	startPause    = time.Millisecond
)

// ServeHTTP implements http.Handler.
func (s *starting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.up {
		s.next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	begun, look := time.Now(), time.NewTicker(startPause)
	defer look.Stop()
	for {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		s.next.ServeHTTP(answer, again)
		if answer.Code == http.StatusServiceUnavailable && time.Since(begun) < startPatience {
			<-look.C
			continue
		}
		s.up = true
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		return
	}
}
