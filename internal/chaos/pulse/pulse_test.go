package pulse_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/chaos/pulse"
)

func TestBothSidesSeeThePulse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pulse")
	_, _, err := pulse.Open(path)
	require.Error(t, err, "there is no file")
	require.NoError(t, pulse.Create(path))
	told, unmapTold, err := pulse.Open(path)
	require.NoError(t, err)
	seen, unmapSeen, err := pulse.Open(path)
	require.NoError(t, err)

	told.InFilters.Add(3)
	told.TakingOver.Store(2)
	require.NoError(t, unmapTold())
	require.Equal(t, int64(3), seen.InFilters.Load(), "it outlives who told it")
	require.Equal(t, int64(2), seen.TakingOver.Load())
	require.NoError(t, unmapSeen())
}
