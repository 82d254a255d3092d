package cmd_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
)

func TestWhatIsStoppedLaterHasWhatIsLeftOfTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin, share := cmd.StopTime(10 * time.Second)
		time.Sleep(time.Hour) //nolint:forbidigo // the bubble's clock: the run
		ends := begin()
		require.Equal(t, time.Now().Add(10*time.Second), ends)
		time.Sleep(7 * time.Second) //nolint:forbidigo // the bubble's clock: the stages stop
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		ctx, cancel := share(ended)
		defer cancel()
		require.NoError(t, ctx.Err(), "that the run has ended is why there is something to stop")
		deadline, _ := ctx.Deadline()
		require.Equal(t, ends, deadline)
		require.Equal(t, 3*time.Second, time.Until(deadline))
	})
}

func TestSpansThatAreNotSentWhenTheTimeToStopIsUpAreDropped(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&collector{paths: map[string]int{}})
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		stop func(ctx context.Context) error
		told bool
	}{
		"in time": {func(context.Context) error { return nil }, false},
		"the stages took all of it": {func(ctx context.Context) error {
			<-ctx.Done() // no sooner than the time is up
			return nil
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := program(orders(order{Customer: "ada", Total: 3}))
			p.OnStop = c.stop
			timeout := "30s"
			if c.told {
				timeout = "300ms"
			}
			got := call(t, p, "run", "--drain", "--data-dir", t.TempDir(), "--trace-endpoint", server.URL, "--stop-timeout", timeout)
			if c.told {
				require.Contains(t, got.err, "the last spans were not sent")
				return
			}
			require.NotContains(t, got.err, "spans")
		})
	}
}
