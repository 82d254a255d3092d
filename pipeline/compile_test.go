package pipeline_test

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The types keep what is promised of them: each mistake in testdata/wrong is
// refused by the compiler, at the line where it was made, and nothing else is.
func TestWrongProgramsDoNotCompile(t *testing.T) {
	t.Parallel()
	const file = "testdata/wrong/wrong.go"
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	want := make(map[int]string) // by line
	comment := regexp.MustCompile(`// want "(.+)"$`)
	for i, line := range strings.Split(string(source), "\n") {
		if m := comment.FindStringSubmatch(line); m != nil {
			want[i+1] = m[1]
		}
	}
	require.Len(t, want, 18)

	// -e lifts the compiler's limit of ten errors.
	output, err := exec.CommandContext(t.Context(), "go", "build", "-gcflags=-e", "./testdata/wrong").CombinedOutput()
	require.Error(t, err, "it compiled")
	got := make(map[int]string)
	reported := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(file) + `:(\d+):\d+: (.*(?:\n\t.*)*)`)
	for _, m := range reported.FindAllStringSubmatch(string(output), -1) {
		line, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		got[line] += m[2] + "\n"
	}
	for line, text := range want {
		require.Contains(t, got[line], text, "%s:%d, of\n%s", file, line, output)
	}
	for line, text := range got {
		require.Contains(t, want, line, "%s:%d: %s", file, line, text)
	}
}
