package sources_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/sources"
)

// BenchmarkFiles is a pass over a thousand files in ten folders.
func BenchmarkFiles(b *testing.B) {
	dir := b.TempDir()
	for i := range 1000 {
		write(b, dir, fmt.Sprintf("%d/%03d.png", i%10, i), "")
	}
	src := sources.Files(dir, sources.Settle(0), sources.Glob("*.png"))
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, src.Source(b.Context(), func(context.Context, ...fileTrigger) error { return nil }))
	}
}
