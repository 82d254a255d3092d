package journal_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/chaos/journal"
)

func TestAJournalIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	w, err := journal.Create(path)
	require.NoError(t, err)
	want := []journal.Entry{{Key: "a", Number: 0, Partition: 2, Offset: 7}, {Key: "b", Number: 3, Partition: 0, Offset: 1 << 40}}
	for _, e := range want {
		w.Append(e)
	}
	require.Equal(t, 2, w.Len())
	require.NoError(t, w.Close())

	entries, err := journal.Read(path)
	require.NoError(t, err)
	require.Equal(t, want, entries)

	_, err = journal.Create(path)
	require.ErrorIs(t, err, os.ErrExist, "a journal is never overwritten")
}

func TestAJournalThatIsCutIsAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	for _, content := range []string{"a 0 2 7\nb 3", "a 0 2 seven\n", "a 0 2\n"} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := journal.Read(path)
		require.Error(t, err, "%q", content)
	}
}
