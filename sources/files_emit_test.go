package sources_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

func TestFilesPutsBoundedBatches(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 600 {
		write(t, dir, fmt.Sprintf("%d/%03d", i/200, i), "")
	}
	got := take(t, dir)
	require.Len(t, got.triggers, 600)
	require.Equal(t, []int{256, 256, 88}, got.batches)
}

func TestFilesOutlivesARefusedTrigger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a", "bad", "c", "d"} {
		write(t, dir, name, "")
	}
	broken := errors.New("no encoding")
	var c taken
	err := sources.Files(dir, sources.Settle(0)).Source(t.Context(), func(ctx context.Context, ts ...fileTrigger) error {
		if slices.ContainsFunc(ts, func(t fileTrigger) bool { return t.Body.Name == "bad" }) {
			return pipeline.Reject(broken)
		}
		return c.emit(ctx, ts...)
	})
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, filepath.Join(dir, "bad"))
	require.Equal(t, []string{"a", "c", "d"}, c.names())
}

func TestFilesEndsWithTheErrorOfEmit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 300 {
		write(t, dir, fmt.Sprint(i), "")
	}
	broken, calls := errors.New("no broker"), 0
	err := sources.Files(dir, sources.Settle(0)).Source(t.Context(), func(context.Context, ...fileTrigger) error {
		calls++
		return broken
	})
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, calls)
}

func TestFilesEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 600 {
		write(t, dir, fmt.Sprint(i), "")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var c taken
	err := sources.Files(dir, sources.Settle(0)).Source(ctx, func(ctx context.Context, ts ...fileTrigger) error {
		cancel()
		return c.emit(ctx, ts...)
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, c.batches, 1)
}
