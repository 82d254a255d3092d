package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

// placed takes orders over HTTP.
func placed() pipeline.Sourcer[Order] { return sources.HTTP[Order]("POST /orders", sources.Strict()) }

// selfLoaded is a source that is done when its own load is posted, so that a run of
// everything ends when that is through.
type selfLoaded struct {
	pipeline.Sourcer[Order]
	load *load
}

// Finite implements pipeline.FiniteSource.
func (selfLoaded) Finite() bool { return true }

// Route implements pipeline.ServedSource.
func (s selfLoaded) Route() string { return s.served().Route() }

// ServeHTTP implements pipeline.ServedSource.
func (s selfLoaded) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.served().ServeHTTP(w, r) }

func (s selfLoaded) served() pipeline.ServedSource {
	return s.Sourcer.(pipeline.ServedSource) //nolint:forcetypeassert // that of sources.HTTP is one
}

// Source serves until all orders are accepted.
func (s selfLoaded) Source(ctx context.Context, emit pipeline.Emit[Order]) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- s.Sourcer.Source(serving, emit) }()
	err := s.load.post(ctx)
	stop()
	return errors.Join(err, <-served)
}
