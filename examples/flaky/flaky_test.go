package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFlaky(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	status := program().Main(t.Context(), []string{
		"--payments", "20", "--down", "300ms", "--locked", "1500ms",
		"--data-dir", filepath.Join(t.TempDir(), "broker"),
	}, strings.NewReader(""), &out, &errs)
	require.Zero(t, status, errs.String())
	said := regexp.MustCompile(`160 payments charged, (\d+) of other customers while carol waited; parked=(\d+) poisoned=0 disordered=0`).
		FindStringSubmatch(out.String())
	require.NotNil(t, said, out.String())
	passed, err := strconv.Atoi(said[1])
	require.NoError(t, err)
	require.Positive(t, passed)
	parked, err := strconv.Atoi(said[2])
	require.NoError(t, err)
	require.GreaterOrEqual(t, parked, 20, "carol's all")
}
