package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
)

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

func run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = program().Main(t.Context(), args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

// A run of the whole program, on the embedded broker and over HTTP.
func TestAllOrdersThatAreAcceptedAreStored(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	status, stdout, stderr := run(t, "--orders", "60", "--customers", "5", "--price-late", "300ms",
		"--http", address, "--to", "http://"+address,
		"--data-dir", filepath.Join(dir, "broker"), "--out", filepath.Join(dir, "out"))
	require.Zero(t, status, stderr)
	require.True(t, strings.HasSuffix(stdout, "\norders: accepted=60 stored=60 disordered=0\n"), stdout)
}

func TestWrongSettingsAreAWrongUse(t *testing.T) {
	t.Parallel()
	status, _, stderr := run(t, "--orders", "60", "--customers", "0")
	require.Equal(t, cmd.ExitWrongUse, status)
	require.Contains(t, stderr, "--customers")
}

func TestAFileHasEachLineOnceAndWholeAlsoAfterACrash(t *testing.T) {
	t.Parallel()
	s := fileStore{dir: t.TempDir()}
	read := func() (lines []Line) {
		require.NoError(t, s.read(t.Context(), lineItems, "a", func(l Line) { lines = append(lines, l) }))
		return lines
	}
	one, two := Line{Customer: "ann", Number: 1, Line: 1}, Line{Customer: "ann", Number: 1, Line: 2}
	require.Empty(t, read())

	require.NoError(t, (&fileTable{path: s.path(lineItems)}).write(t.Context(), []Line{one, {Customer: "bob"}, one}))
	require.Equal(t, []Line{one}, read())

	f, err := os.OpenFile(s.path(lineItems), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"customer":"ann","nu`) // a process was killed here
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, []Line{one}, read())
	again := &fileTable{path: s.path(lineItems)}
	require.NoError(t, again.write(t.Context(), []Line{one, two}))
	require.NoError(t, again.write(t.Context(), []Line{two}))
	require.Equal(t, []Line{one, two}, read())
}
