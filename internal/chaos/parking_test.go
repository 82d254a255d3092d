package chaos_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/chaos"
)

func TestWhatIsParkedGoesThrough(t *testing.T) {
	t.Parallel()
	result := run(t, chaos.Config{
		Brokers: brokertest.New(t).Addrs(), Mode: chaos.Parking,
		// What does not wait has two thirds of SlowWait to come through, also where all
		// other packages are compiled and tested meanwhile.
		Seed: 1, Messages: 3000, Rate: 400, Keys: 40, Processes: 2, Session: 6 * time.Second, SlowWait: 30 * time.Second,
		Faults: chaos.Faults{Closes: 1, Rollings: 1},
	})
	require.Empty(t, result.Report.List())
	require.NoError(t, result.Broken())
	require.Positive(t, result.Report.Parking.Void, "nothing came late")
}
