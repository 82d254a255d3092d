package pipeline_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

// served is a source that is served at the pattern.
type served string

func (s served) Route() string                                    { return string(s) }
func (served) ServeHTTP(http.ResponseWriter, *http.Request)       {}
func (served) Source(context.Context, pipeline.Emit[order]) error { return nil }

func TestASourceIsServed(t *testing.T) {
	t.Parallel()
	n := source(t, served("POST /orders"))
	require.Equal(t, "POST /orders", n.Route)
	require.Equal(t, served("POST /orders"), n.Handler)
}

func TestBuildReportsWrongRoutes(t *testing.T) {
	t.Parallel()
	for _, route := range []string{"", "orders", "POST orders", "POST /{", "POST /{a}/{a}"} {
		p := pipeline.New("test")
		pipeline.Source(p, "placed", served(route), pipeline.Open())
		_, err := p.Build()
		require.ErrorContains(t, err, `source "placed" cannot be served at`, "%q", route)
	}
}
