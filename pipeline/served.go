package pipeline

import (
	"fmt"
	"net/http"
)

// ServedSource is implemented by a source that takes its triggers over HTTP. What
// runs the pipeline has one listener for all of them, and hands them the requests
// that match their route, from before Source is called until after it has returned.
type ServedSource interface {
	http.Handler

	// Route is a pattern of http.ServeMux with a method, as in "POST /orders". It
	// is called once, when the source is declared.
	Route() string
}

// serve completes the node of a source that is served.
func (n *SourceNode) serve(p *Pipeline, src any) {
	s, ok := src.(ServedSource)
	if !ok {
		return
	}
	n.Route, n.Handler = s.Route(), s
	if wrong := wrongRoute(n.Route); wrong != nil {
		p.problemf(n.at, "source %q cannot be served at %q: %v; use a method and a path, as in \"POST /orders\"", n.Name, n.Route, wrong)
	}
}

// wrongRoute is what http.ServeMux, which only panics, has against a pattern.
func wrongRoute(pattern string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v) //nolint:err113 // the text is all there is
		}
	}()
	http.NewServeMux().Handle(pattern, http.NotFoundHandler())
	return nil
}
