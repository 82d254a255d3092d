package checker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/penstock/penstock/internal/chaos/retrylog"
)

// Trace lists what became of the messages of a key at the hop, by time: where they
// came in, what the retry log says of them, and what was made of them.
func (h *Hop) Trace(key string) string {
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	add := func(at time.Time, format string, args ...any) {
		lines = append(lines, line{at, fmt.Sprintf(format, args...)})
	}
	offsets := map[int64]bool{} // of the key in the input
	partition := int32(-1)
	for _, of := range []struct {
		what    string
		records []Record
	}{{"in", h.Inputs}, {"out", h.Outputs}, {"poison", h.Poison}} {
		for i := range of.records {
			r := &of.records[i]
			if r.Key != key {
				continue
			}
			if of.what == "in" {
				offsets[r.Offset], partition = true, r.Partition
			}
			add(r.Time, "%s %d@%d: %s", of.what, r.Partition, r.Offset, r.Value)
		}
	}
	kinds := map[retrylog.Kind]string{retrylog.Start: "START", retrylog.Done: "DONE"}
	for i := range h.Log {
		r := &h.Log[i]
		switch {
		case r.Partition != partition:
		case r.Kind == retrylog.Take:
			add(r.Time, "log @%d: TAKE by %s", r.Offset, r.Producer)
		case r.Kind == retrylog.Resume:
			add(r.Time, "log @%d: RESUME %d, epoch %d", r.Offset, r.W, r.Epoch)
		case r.Kind == retrylog.Park && string(r.Key) == key:
			add(r.Time, "log @%d: PARK %d, epoch %d, prev %d, attempts %d, until %s", r.Offset, r.Entry.Offset, r.Epoch, r.Prev, r.Attempts, clock(r.NotBefore))
		case kinds[r.Kind] != "":
			for _, e := range r.Entries {
				if offsets[e.Offset] {
					add(r.Time, "log @%d: %s %d, epoch %d", r.Offset, kinds[r.Kind], e.Offset, r.Epoch)
				}
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintln(&b, clock(l.at), l.text)
	}
	return b.String()
}
