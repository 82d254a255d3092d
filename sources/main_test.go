package sources_test

import (
	"testing"

	"go.uber.org/goleak"
)

// No source leaves a goroutine behind, a watcher's least of all.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
