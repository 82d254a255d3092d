package sinks_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

type page struct{ Name, Text string }

func pageFile(_ context.Context, p page) (name string, data []byte, err error) {
	if p.Name == "" {
		return "", nil, pipeline.Reject(errors.New("the page has no name"))
	}
	return p.Name, []byte(p.Text), nil
}

func TestFilesWritesEachMessageOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	sink := sinks.Files(dir, pageFile)
	for _, p := range []page{{"a", "1"}, {"sub/b", "2"}, {"a", "1"}, {"a", "1"}} {
		_, err := pipeline.Apply(t.Context(), sink, p)
		require.NoError(t, err)
	}
	require.Equal(t, map[string]string{"a": "1", "sub/b": "2"}, tree(t, dir))
}

func TestFilesPassesOnTheFunctionsError(t *testing.T) {
	t.Parallel()
	_, err := pipeline.Apply(t.Context(), sinks.Files(t.TempDir(), pageFile), page{})
	require.EqualError(t, err, "the page has no name")
	requireRejected(t, err)
}

func TestFilesWritesTheValueAsItCame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sink := sinks.Files(dir, func(ctx context.Context, _ page) (string, []byte, error) {
		d := pipeline.FromContext(ctx)
		return d.ID + ".json", d.Value, nil
	})
	d := &pipeline.Delivery{Attempt: 1}
	d.ID = "page-1"
	_, err := pipeline.Apply(pipeline.WithDelivery(t.Context(), d), sink, page{Name: "x", Text: "1"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"page-1.json": `{"Name":"x","Text":"1"}`}, tree(t, dir))
}

func TestFilesFindsAWrongFolderAtTheStart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for dir, want := range map[string]string{"": "the folder's path is empty", file: file + " is not a folder"} {
		opener, ok := sinks.Files(dir, pageFile).(pipeline.Opener)
		require.True(t, ok)
		require.ErrorContains(t, opener.Open(t.Context()), want)
	}
}
