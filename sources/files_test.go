package sources_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

type fileTrigger = pipeline.Trigger[sources.File]

// taken collects what a source puts.
type taken struct {
	triggers []fileTrigger
	batches  []int
}

func (c *taken) emit(_ context.Context, ts ...fileTrigger) error {
	c.triggers = append(c.triggers, ts...)
	c.batches = append(c.batches, len(ts))
	return nil
}

func (c *taken) names() []string {
	names := make([]string, 0, len(c.triggers))
	for _, t := range c.triggers {
		names = append(names, t.Body.Name)
	}
	return names
}

func (c *taken) ids() map[string]string {
	ids := make(map[string]string, len(c.triggers))
	for _, t := range c.triggers {
		ids[t.Body.Name] = t.ID
	}
	return ids
}

// take runs a source that takes each file as it is.
func take(t require.TestingT, dir string, opts ...sources.FilesOption) *taken {
	var c taken
	opts = append([]sources.FilesOption{sources.Settle(0)}, opts...)
	require.NoError(t, sources.Files(dir, opts...).Source(context.Background(), c.emit))
	return &c
}

func write(t require.TestingT, dir, name, data string) string {
	file := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(data), 0o600))
	return file
}

// inOrder compares names folder by folder.
func inOrder(a, b string) int {
	return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
}

func TestFilesTakesEachFileOnceInOrderWithTheSameIDs(t *testing.T) {
	t.Parallel()
	element := rapid.StringMatching(`\.?[ab.! é-]{1,3}[ab]`)
	dir := filepath.Join(t.TempDir(), "in")
	rapid.Check(t, func(t *rapid.T) {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.Mkdir(dir, 0o755))
		var want []string
		for _, parts := range rapid.SliceOfN(rapid.SliceOfN(element, 1, 4), 0, 12).Draw(t, "files") {
			name := path.Join(parts...)
			file := filepath.Join(dir, filepath.FromSlash(name))
			if os.MkdirAll(filepath.Dir(file), 0o755) != nil || os.WriteFile(file, nil, 0o600) != nil {
				continue // it is a folder already, or below a file
			}
			if strings.HasSuffix(name, "a") && !strings.HasPrefix(name, ".") && !strings.Contains(name, "/.") {
				want = append(want, name)
			}
		}
		slices.SortFunc(want, inOrder)
		want = slices.Compact(want)

		first := take(t, dir, sources.Glob("*a"))
		require.Equal(t, want, append([]string(nil), first.names()...))
		require.Len(t, slices.Compact(slices.Sorted(maps.Values(first.ids()))), len(want), "ids are unique")
		require.Equal(t, first.triggers, take(t, dir, sources.Glob("*a")).triggers)

		if len(want) == 0 {
			return
		}
		touched := rapid.SampledFrom(want).Draw(t, "touched")
		later := time.Now().Add(time.Duration(rapid.Int64Range(1, 1e12).Draw(t, "later")))
		require.NoError(t, os.Chtimes(filepath.Join(dir, touched), later, later))
		after := take(t, dir, sources.Glob("*a")).ids()
		require.NotEqual(t, first.ids()[touched], after[touched])
		delete(after, touched)
		before := first.ids()
		delete(before, touched)
		require.Equal(t, before, after)
	})
}

func TestFilesDescribesAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := write(t, dir, "2026/a.png", "12345")
	at := time.Date(2026, 3, 4, 5, 6, 7, 8000, time.FixedZone("", 3600))
	require.NoError(t, os.Chtimes(file, at, at))

	got := take(t, dir).triggers
	require.Len(t, got, 1)
	require.Equal(t, sources.File{Path: file, Name: "2026/a.png", Size: 5, ModTime: at.UTC()}, got[0].Body)
	require.Equal(t, at.UTC(), got[0].Time)

	moved := filepath.Join(t.TempDir(), "moved")
	require.NoError(t, os.Rename(dir, moved))
	require.Equal(t, got[0].ID, take(t, moved).triggers[0].ID, "an id does not depend on where the folder is")
	require.NoError(t, os.Chtimes(write(t, moved, "2026/a.png", "1234"), at, at))
	require.NotEqual(t, got[0].ID, take(t, moved).triggers[0].ID, "an id depends on the size")
}

func TestFilesMakesThePathAbsolute(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, "in/a", "")
	wd, err := os.Getwd()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(wd, "in", "a"), take(t, "in").triggers[0].Body.Path)
}

func TestFilesOptionsChoose(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a.png", "b.jpg", "c.txt", ".h.png", "x/a.png", "x/y/a.png", ".git/a.png", "x/.h/a.png", "tmp/a.png"} {
		write(t, dir, name, name)
	}
	for name, c := range map[string]struct {
		opts []sources.FilesOption
		want []string
	}{
		"defaults": {
			want: []string{"a.png", "b.jpg", "c.txt", "tmp/a.png", "x/a.png", "x/y/a.png"},
		},
		"glob by own name": {
			opts: []sources.FilesOption{sources.Glob("*.png", "b.*")},
			want: []string{"a.png", "b.jpg", "tmp/a.png", "x/a.png", "x/y/a.png"},
		},
		"globs add up": {
			opts: []sources.FilesOption{sources.Glob("b.*"), sources.Glob("c.*")},
			want: []string{"b.jpg", "c.txt"},
		},
		"glob by path": {
			opts: []sources.FilesOption{sources.Glob("x/*.png")},
			want: []string{"x/a.png"},
		},
		"exclude folders and files": {
			opts: []sources.FilesOption{sources.Exclude("tmp", "*.jpg"), sources.Exclude("x/y")},
			want: []string{"a.png", "c.txt", "x/a.png"},
		},
		"exclude wins over glob": {
			opts: []sources.FilesOption{sources.Glob("*.png"), sources.Exclude("a.png")},
			want: []string{},
		},
		"flat": {
			opts: []sources.FilesOption{sources.Flat()},
			want: []string{"a.png", "b.jpg", "c.txt"},
		},
		"hidden": {
			opts: []sources.FilesOption{sources.Hidden(), sources.Glob("*.png")},
			want: []string{".git/a.png", ".h.png", "a.png", "tmp/a.png", "x/.h/a.png", "x/a.png", "x/y/a.png"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, take(t, dir, c.opts...).names())
		})
	}
}

func TestFilesIsTakenOnceOverRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := pipeline.New("thumbnails")
	pipeline.Source(p, "images", sources.Files(dir, sources.Settle(0)), pipeline.Open())
	graph, err := p.Build()
	require.NoError(t, err)
	source := graph.Sources[0]
	require.True(t, source.Once)
	require.True(t, source.Finite)

	put := map[string]bool{} // outlives the runs, as the topic of ids does
	run := func() (fresh int) {
		require.NoError(t, source.Run(t.Context(), func(_ context.Context, ts ...pipeline.RawTrigger) error {
			for _, trigger := range ts {
				if !put[trigger.ID] {
					put[trigger.ID] = true
					fresh++
				}
			}
			return nil
		}))
		return fresh
	}
	write(t, dir, "a", "1")
	write(t, dir, "b/c", "1")
	require.Equal(t, 2, run())
	require.Equal(t, 0, run())
	write(t, dir, "b/d", "1")
	write(t, dir, "a", "22")
	require.Equal(t, 2, run())
	require.Equal(t, 0, run())
}

func TestFilesLeavesOutWhatVanishes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 300 { // the first batch is put in the middle of the folder a
		write(t, dir, fmt.Sprintf("a/%03d", i), "")
	}
	write(t, dir, "b/c", "")
	write(t, dir, "d", "")
	var c taken
	err := sources.Files(dir, sources.Settle(0)).Source(t.Context(), func(ctx context.Context, ts ...fileTrigger) error {
		if len(c.triggers) == 0 {
			require.NoError(t, os.Remove(filepath.Join(dir, "a", "299")))
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "b")))
		}
		return c.emit(ctx, ts...)
	})
	require.NoError(t, err)
	require.Len(t, c.triggers, 300)
	require.Equal(t, "d", c.triggers[299].Body.Name)
}

func TestFilesSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := write(t, dir, "file", "")
	for name, c := range map[string]struct {
		src  pipeline.Sourcer[sources.File]
		want []string
	}{
		"no folder":       {sources.Files(filepath.Join(dir, "gone")), []string{filepath.Join(dir, "gone"), "no such file"}},
		"not a folder":    {sources.Files(file), []string{file, "it is not a folder"}},
		"no name":         {sources.Files(""), []string{"the folder's path is empty"}},
		"pattern":         {sources.Files(dir, sources.Glob("a", "[")), []string{dir, `the pattern "[" is malformed`}},
		"exclude pattern": {sources.Files(dir, sources.Exclude(`x\`)), []string{`the pattern "x\\" is malformed`}},
		"settle":          {sources.Files(dir, sources.Settle(-time.Second)), []string{"Settle(-1s) is below 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opener, ok := c.src.(pipeline.Opener)
			require.True(t, ok)
			for _, err := range []error{opener.Open(t.Context()), c.src.Source(t.Context(), new(taken).emit)} {
				for _, want := range c.want {
					require.ErrorContains(t, err, want)
				}
			}
		})
	}
}
