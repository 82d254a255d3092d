package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/broker"
)

// /sys is a place where nobody can make a directory, not even root.
func TestADirectoryThatCannotBeWrittenIsNamedWithWhatToDo(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"/sys", "/sys/data"} {
		_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
		require.ErrorContains(t, err, "open the data directory "+dir)
		require.ErrorContains(t, err, "it cannot be written: change its permissions or choose another directory")
	}
}
