package sources_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

// collect is an emit that keeps what it is given.
type collect struct {
	lines, ids []string
	fail       func(ts []pipeline.Trigger[[]byte]) error
}

func (c *collect) emit(_ context.Context, ts ...pipeline.Trigger[[]byte]) error {
	if c.fail != nil {
		if err := c.fail(ts); err != nil {
			return err
		}
	}
	for _, t := range ts {
		c.lines, c.ids = append(c.lines, string(t.Body)), append(c.ids, t.ID)
	}
	return nil
}

func file(t require.TestingT, dir, text string) string {
	name := filepath.Join(dir, "lines.txt")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestLinesAreThoseOfTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOf(rapid.StringMatching(`[a-c\r]{0,6}[a-c]?`)).Draw(t, "lines")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		longest := rapid.IntRange(1, 6).Draw(t, "longest")
		text := strings.Join(lines, end)
		var want []string
		tooLong := 0
		for i, l := range strings.Split(text, "\n") {
			if i < strings.Count(text, "\n") {
				l = strings.TrimSuffix(l, "\r")
			}
			switch {
			case len(l) > longest:
				tooLong++
			case l != "":
				want = append(want, l)
			}
		}
		for name, s := range map[string]pipeline.Sourcer[[]byte]{
			"file":  sources.Lines(file(t, dir, text), sources.MaxLine(longest)),
			"input": sources.LinesOfInput(strings.NewReader(text), sources.MaxLine(longest)),
		} {
			var got collect
			err := s.Source(context.Background(), got.emit)
			require.Equal(t, want, got.lines, name)
			if tooLong == 0 {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, fmt.Sprintf("%d of the lines", tooLong))
			}
		}
	})
}

func TestLinesHaveTheSameIDsWhenTheFileHasGrown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var first, second collect
	s := sources.Lines(file(t, dir, "x\n"+"x\nb\n"))
	require.NoError(t, s.Source(t.Context(), first.emit))
	require.Len(t, first.ids, 3)
	require.NotEqual(t, first.ids[0], first.ids[1], "two lines with the same text are two")
	file(t, dir, "x\n"+"x\nb\nc\n")
	require.NoError(t, s.Source(t.Context(), second.emit))
	require.Equal(t, first.ids, second.ids[:3])

	p := pipeline.New("p")
	pipeline.Source(p, "in", s, pipeline.Open())
	graph, err := p.Build()
	require.NoError(t, err)
	require.True(t, graph.Sources[0].Once)
	require.True(t, graph.Sources[0].Finite)
}

// What was read of standard input is not lost when it cannot be put, and keeps its
// ids.
func TestInputGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintln(&text, i)
	}
	s := sources.LinesOfInput(strings.NewReader(text.String()))
	down := errors.New("no broker")
	tried := map[string]string{}
	puts := 0
	got := collect{fail: func(ts []pipeline.Trigger[[]byte]) error {
		for _, t := range ts {
			if id, ok := tried[string(t.Body)]; ok && id != t.ID {
				return pipeline.Reject(errors.New("another id"))
			}
			tried[string(t.Body)] = t.ID
		}
		puts++
		if puts%2 == 1 {
			return down
		}
		return nil
	}}
	for err := s.Source(t.Context(), got.emit); err != nil; err = s.Source(t.Context(), got.emit) {
		require.ErrorIs(t, err, down)
	}
	require.Equal(t, strings.Fields(text.String()), got.lines)
}

func TestInputThatIsTypedIsPutAtOnceAndCanBeStopped(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer func() { require.NoError(t, w.Close()) }() // ends the goroutine that reads
	s := sources.LinesOfInput(r)
	ctx, cancel := context.WithCancel(t.Context())
	put, ended := make(chan string), make(chan error)
	go func() {
		ended <- s.Source(ctx, func(_ context.Context, ts ...pipeline.Trigger[[]byte]) error {
			for _, t := range ts {
				put <- string(t.Body)
			}
			return nil
		})
	}()
	for _, l := range []string{"one", "two"} {
		_, err := io.WriteString(w, l+"\n")
		require.NoError(t, err)
		require.Equal(t, l, <-put)
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestALineThatIsRefusedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	got := collect{fail: func(ts []pipeline.Trigger[[]byte]) error {
		for _, t := range ts {
			if string(t.Body) == "b" {
				return pipeline.Reject(errors.New("too large for the topic"))
			}
		}
		return nil
	}}
	err := sources.Lines(file(t, t.TempDir(), "a\nb\nc\n")).Source(t.Context(), got.emit)
	require.ErrorContains(t, err, "1 of the lines")
	require.ErrorContains(t, err, "line 2: too large for the topic")
	require.Equal(t, []string{"a", "c"}, got.lines)
}

func TestLinesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		path    string
		opts    []sources.LinesOption
		want    string
		verdict pipeline.Verdict
	}{
		{"", nil, "the path is empty", pipeline.Rejected},
		{"x", []sources.LinesOption{sources.MaxLine(0)}, "MaxLine(0) is below 1", pipeline.Rejected},
		{filepath.Join(dir, "missing"), nil, "missing: no such file", pipeline.Again},
		{dir, nil, "it is a folder; name a file", pipeline.Again},
	} {
		s, ok := sources.Lines(c.path, c.opts...).(pipeline.Opener)
		require.True(t, ok)
		err := s.Open(t.Context())
		require.ErrorContains(t, err, c.want)
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, c.verdict, verdict)
	}
	broken := sources.LinesOfInput(io.MultiReader(strings.NewReader("a\n"), brokenReader{}))
	var got collect
	require.ErrorIs(t, broken.Source(t.Context(), got.emit), errBroken)
	require.Equal(t, []string{"a"}, got.lines)
}

var errBroken = errors.New("broken")

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }
