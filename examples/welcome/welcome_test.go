package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipelinetest"
)

func TestAGuestIsWelcomed(t *testing.T) {
	d := pipelinetest.New(t, Welcome())
	d.Put("guests", Guest{Name: "Ann", Table: 4}, Guest{Table: 5})
	d.Advance(time.Hour) // whatever had to wait is tried again

	require.Equal(t, []string{"Dear Ann, you sit at table 4."}, pipelinetest.Values[string](d, "write"))
	failed := d.Failures("write")
	require.Len(t, failed, 1)
	require.Equal(t, "a guest at table 5 has no name", failed[0].Last)
}

// What the guide shows of this program is in it.
func TestTheGuideShowsThisProgram(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "guide.md"))
	require.NoError(t, err)
	var program string
	for _, file := range []string{"main.go", "welcome_test.go"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		program += string(text)
	}
	shown := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(guide, -1)
	require.NotEmpty(t, shown)
	for _, code := range shown {
		require.Contains(t, program, string(code[1]))
	}
}
