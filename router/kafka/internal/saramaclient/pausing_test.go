package saramaclient

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// fetching notes what is asked of it.
type fetching struct{ asked []string }

func (f *fetching) Pause(p map[string][]int32)  { f.note("pause", p) }
func (f *fetching) Resume(p map[string][]int32) { f.note("resume", p) }

func (f *fetching) note(what string, partitions map[string][]int32) {
	for topic, ids := range partitions {
		for range ids {
			f.asked = append(f.asked, what+" "+topic)
		}
	}
}

func TestLargeMessagesAreFetchedOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	var f fetching
	p := newPausing(&f, "t", 3, 1024)
	for range 10 {
		p.wait()
		p.took(100, 100*1000)
	}
	require.Empty(t, f.asked, "1024 messages of 1 KB may be ahead")
	for range 3 {
		p.wait()
		p.took(1, 1<<20)
	}
	require.Equal(t, []string{"pause t", "resume t", "pause t", "resume t", "pause t"}, f.asked)
	for range 30 {
		p.wait()
		p.took(100, 100*1000)
	}
	require.Equal(t, "resume t", f.asked[len(f.asked)-1])
	require.False(t, p.paused, "small ones again")
}
