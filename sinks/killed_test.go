package sinks_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/sinks"
)

// childFolder, when it is set, makes the test binary a process that writes files
// below this folder until it is killed.
const childFolder = "SINKS_TEST_CHILD_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		fmt.Println(writeUntilKilled(dir))
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled writes a few large files again and again, and says when it
// begins with each.
func writeUntilKilled(dir string) error {
	for i := 0; ; i++ {
		data := sealed(i)
		fmt.Println("begin", i)
		if err := sinks.WriteFile(dir, fmt.Sprintf("sub/%d", i%3), data); err != nil {
			return err
		}
	}
}

// sealed is 8 MiB with their own checksum in front.
func sealed(i int) []byte {
	body := bytes.Repeat([]byte(fmt.Sprintf("%07d\n", i)), 1<<20)
	sum := sha256.Sum256(body)
	return append(sum[:], body...)
}

func TestAKilledProcessLeavesNoPartOfAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 3 {
		require.NoError(t, sinks.WriteFile(dir, fmt.Sprintf("sub/%d", i), sealed(i)))
	}
	for kill := range 8 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childFolder+"="+dir)
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(out)
		for range 1 + kill%4 { // the last line that is read says that a file is being written
			require.True(t, lines.Scan())
			require.True(t, strings.HasPrefix(lines.Text(), "begin "), lines.Text())
		}
		require.NoError(t, child.Process.Kill())
		require.Error(t, child.Wait())

		for i := range 3 {
			data, err := os.ReadFile(filepath.Join(dir, "sub", fmt.Sprint(i)))
			require.NoError(t, err)
			require.Len(t, data, sha256.Size+8<<20)
			sum := sha256.Sum256(data[sha256.Size:])
			require.Equal(t, sum[:], data[:sha256.Size])
		}
		entries, err := os.ReadDir(filepath.Join(dir, "sub"))
		require.NoError(t, err)
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".penstock-") {
				require.Contains(t, []string{"0", "1", "2"}, e.Name())
			}
		}
	}
	// What is left of the killed ones does no harm.
	require.NoError(t, sinks.WriteFile(dir, "sub/0", sealed(0)))
}
