package sinks_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// tree lists the files below a folder, temporary ones too, and what they hold.
// Links are listed with what they point to.
func tree(t require.TestingT, dir string) map[string]string {
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		if d.Type()&fs.ModeSymlink != 0 {
			found[name], err = os.Readlink(path)
			return err
		}
		data, err := os.ReadFile(path)
		found[name] = string(data)
		return err
	}))
	return found
}

func requireRejected(t require.TestingT, err error) {
	require.Error(t, err)
	verdict, _ := pipeline.Judge(err)
	require.Equal(t, pipeline.Rejected, verdict, "%v", err)
}

// Any string as a name is written below the folder under exactly this name, or is
// rejected; and nothing is ever written outside.
func TestWriteFileStaysBelowItsFolder(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	name := rapid.OneOf(
		rapid.StringMatching(`(/|\.\./|\./|out|in|abs|beside/|sub|a|b/|//|\.|\x00|\\|:|é| |~){1,6}`),
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.Map(rapid.IntRange(250, 260), func(n int) string { return strings.Repeat("x", n) }),
		rapid.Map(rapid.IntRange(15, 25), func(n int) string { return strings.Repeat(strings.Repeat("y", 199)+"/", n) + "z" }),
		rapid.Just(filepath.Join(parent, "beside", "absolute")),
		rapid.SampledFrom([]string{"abs/x", "up/x", "in/x", "file-out", "sub/deep-up/x", "beside"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
		require.NoError(t, os.MkdirAll(filepath.Join(parent, "beside"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(parent, "beside", "sentinel"), []byte("untouched"), 0o600))
		for link, target := range map[string]string{
			"abs":         filepath.Join(parent, "beside"),
			"up":          "../beside",
			"sub/deep-up": "../../beside",
			"file-out":    "../beside/sentinel",
			"in":          "sub",
		} {
			require.NoError(t, os.Symlink(target, filepath.Join(dir, link)))
		}
		before := tree(t, parent)

		name := name.Draw(t, "name")
		err := sinks.WriteFile(dir, name, []byte("data of "+name))

		after := tree(t, parent)
		require.Equal(t, "untouched", after["beside/sentinel"])
		if err == nil {
			data, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Equal(t, "data of "+name, string(data))
			require.True(t, fs.ValidPath(name), "two names for one file")
			file, err := filepath.EvalSymlinks(filepath.Join(dir, name))
			require.NoError(t, err)
			file, err = filepath.Rel(parent, file)
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(file, "out/"), file)
			delete(after, file)
			delete(before, file) // a link that was replaced
			require.Equal(t, before, after)
			return
		}
		require.Equal(t, before, after)
		if info, err := os.Lstat(filepath.Join(dir, name)); fs.ValidPath(name) && err == nil && info.IsDir() {
			return // somebody may remove the folder
		}
		requireRejected(t, err)
	})
}

func TestWriteFileReplacesWhole(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "yet", "there")
	require.NoError(t, sinks.WriteFile(dir, "a/b/c", []byte("long content")))
	require.NoError(t, sinks.WriteFile(dir, "a/b/c", []byte("short")))
	require.NoError(t, sinks.WriteFile(dir, "a/b/c", []byte("short")))
	require.NoError(t, sinks.WriteFile(dir, "empty", nil))
	require.Equal(t, map[string]string{"a/b/c": "short", "empty": ""}, tree(t, dir))
}

func TestWriteFileNeverShowsAPart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 1<<20) }
	require.NoError(t, sinks.WriteFile(dir, "x", content(0)))
	var writers sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		writers.Go(func() {
			for range 5 {
				if err := sinks.WriteFile(dir, "x", content(i)); err != nil {
					errs[i] = err
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		data, err := os.ReadFile(filepath.Join(dir, "x"))
		require.NoError(t, err)
		require.Len(t, data, 1<<20)
		require.Equal(t, len(data), bytes.Count(data, data[:1]), "bytes of two writers")
	}
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, tree(t, dir), 1, "no temporary file is left")
}

func TestWriteFileRejectsNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{
		"", ".", "..", "/", "/a", "a/", "a//b", "./a", "a/../b", "../a", "a/..", "a\x00b", "a\xff",
		strings.Repeat("x", 256), strings.Repeat("x", 256) + "/a", strings.Repeat("abcdefg/", 512) + "a",
	} {
		requireRejected(t, sinks.WriteFile(dir, name, []byte("data")))
	}
	require.Empty(t, tree(t, dir))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "folders for a file that is rejected")
}

// What an operator can mend is tried again, and names the path.
func TestWriteFileFailsForNow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	for _, c := range []struct{ dir, name, want string }{
		{dir, "folder", filepath.Join(dir, "folder")},
		{dir, "file/x", filepath.Join(dir, "file", "x")},
		{filepath.Join(dir, "file"), "x", filepath.Join(dir, "file", "x")},
		{filepath.Join(dir, "file", "sub"), "x", filepath.Join(dir, "file", "sub", "x")},
		{"", "x", "the folder's path is empty"},
	} {
		err := sinks.WriteFile(c.dir, c.name, []byte("data"))
		require.ErrorContains(t, err, c.want)
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Again, verdict, "%v", err)
	}
	require.Equal(t, map[string]string{"file": ""}, tree(t, dir), "no temporary file is left")
}

func BenchmarkWriteFile(b *testing.B) {
	dir, data := b.TempDir(), make([]byte, 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, sinks.WriteFile(dir, "2026/a", data))
	}
}
