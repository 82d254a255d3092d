package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// DefaultHTTP is where the sources that are served over HTTP listen unless the
// configuration says otherwise: on this machine only.
const DefaultHTTP = "127.0.0.1:8080"

// Bounds of what clients may take. How long a body may take its source says.
const (
	serveHeaderTimeout  = 5 * time.Second
	serveIdleTimeout    = 2 * time.Minute
	serveMaxHeaderBytes = 32 << 10
	serveMaxConnections = 4096
)

// ListenError says that the sources which are served over HTTP cannot be served at
// their address.
type ListenError struct {
	Address string
	Err     error
}

// Error names the address and the reason.
func (e *ListenError) Error() string {
	return fmt.Sprintf("listen for HTTP sources at %s: %v", e.Address, e.Err)
}

// Unwrap returns the reason.
func (e *ListenError) Unwrap() error { return e.Err }

// routes is what serves those of the sources that are served, or nil where none is.
func routes(sources []*source) (http.Handler, error) {
	mux := http.NewServeMux()
	var errs []error
	served := false
	for _, s := range sources {
		if s.node.Handler == nil {
			continue
		}
		served = true
		if err := addRoute(mux, s.node); err != nil {
			errs = append(errs, fmt.Errorf("source %s (%s) cannot be served at %q: %w", s.name, s.node.Location, s.node.Route, err))
		}
	}
	if !served || len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return mux, nil
}

// addRoute makes an error of the panic by which http.ServeMux refuses a pattern
// that conflicts with one that it has.
func addRoute(mux *http.ServeMux, n *pipeline.SourceNode) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v) //nolint:err113 // the text is all there is
		}
	}()
	mux.Handle(n.Route, n.Handler)
	return nil
}

// server serves the sources of this process, all at one address. The zero value
// serves none.
type server struct {
	http   *http.Server
	addr   net.Addr
	served chan error
}

// listen begins to serve. A source that is not ready yet refuses by itself.
func (r *Router) listen(ctx context.Context) (*server, error) {
	if r.routes == nil {
		return &server{}, nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", r.cfg.HTTP)
	if err != nil {
		return nil, &ListenError{Address: r.cfg.HTTP, Err: err}
	}
	s := &server{
		http: &http.Server{
			Handler: r.routes, ReadHeaderTimeout: serveHeaderTimeout, IdleTimeout: serveIdleTimeout,
			MaxHeaderBytes: serveMaxHeaderBytes, ErrorLog: slog.NewLogLogger(r.cfg.Logger.Handler(), slog.LevelDebug),
		},
		addr: l.Addr(), served: make(chan error, 1),
	}
	go func() { s.served <- s.http.Serve(newLimitedListener(l, serveMaxConnections)) }()
	address := s.addr.String()
	r.address.Store(&address)
	r.cfg.Logger.Info("serving HTTP sources", "address", address)
	return s, nil
}

// SourcesAddress is where the sources that are served over HTTP are reached. It is
// empty before Run listens, and where there are none.
func (r *Router) SourcesAddress() string {
	if a := r.address.Load(); a != nil {
		return *a
	}
	return ""
}

// close ends it when the sources have stopped: they have answered by then, and
// refuse what comes.
func (s *server) close(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), serveHeaderTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // who has not sent a whole request by now is not waited for
	}
	if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP sources at %s: %w", s.addr, err)
	}
	return nil
}
