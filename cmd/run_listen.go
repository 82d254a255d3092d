package cmd

import (
	"context"
	"time"

	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/health"
)

// listenPatience is how long those may take who are being answered when the run
// ends.
const listenPatience = 5 * time.Second

// listen serves the health of the router where the flags ask for it. What it
// returns ends that; it comes last, so that the run can be seen to stop.
func (j *job) listen(ctx context.Context, r *router.Router) (stop func() error, err error) {
	if j.flags.listen == "" {
		return func() error { return nil }, nil
	}
	s, err := health.Listen(ctx, j.flags.listen, health.Handler(r), j.log)
	if err != nil {
		return nil, wrongUse("%s: %w", given(j.flags.flags, listenFlag), err)
	}
	j.log.Info("serving /healthz, /readyz and /metrics", "address", s.Addr().String())
	return func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenPatience)
		defer cancel()
		return s.Close(ctx)
	}, nil
}
