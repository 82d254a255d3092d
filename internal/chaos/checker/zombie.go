package checker

import (
	"time"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// Freeze is what was done to a worker: it was stopped for longer than its session, and
// continued.
type Freeze struct {
	Writer   string
	From, To time.Time

	// Grace is how long after that it may take the worker to see that it has been
	// replaced.
	Grace time.Duration
}

// zombies are the records that a worker stored behind those of the worker that had
// taken its place. At least once nothing can keep it from that, so they count apart.
type zombies struct {
	late    map[*Record]bool
	offsets map[place]bool // theirs
}

// place is where a record lies in a topic.
type place struct {
	partition int32
	offset    int64
}

func findZombies(hop *Hop) zombies {
	z := zombies{late: map[*Record]bool{}, offsets: map[place]bool{}}
	for _, f := range hop.Freezes {
		replaced := map[int32]bool{} // partitions that another worker writes by now
		for i := range hop.Outputs {
			r := &hop.Outputs[i]
			switch {
			case r.Writer != f.Writer:
				if r.Writer != "" && r.Time.After(f.From) {
					replaced[r.Partition] = true
				}
			case replaced[r.Partition] && r.Time.Before(f.To.Add(f.Grace)):
				z.late[r], z.offsets[place{r.Partition, r.Offset}] = true, true
			}
		}
	}
	return z
}

// sequence tests a key with all of its records. Where that finds something, it leaves
// out those that came late and are there without them, and tests again: what is found
// without them is less, or they are not to blame.
func (z zombies) sequence(c *check, due []due, got []occurrence) {
	all := newCheck(c.hop)
	all.sequence(due, got)
	if len(all.findings) > 0 {
		counting := z.without(got)
		rest := newCheck(c.hop)
		rest.sequence(due, counting)
		if len(rest.findings) < len(all.findings) {
			all, c.zombies = rest, c.zombies+len(got)-len(counting)
		}
	}
	c.findings = append(c.findings, all.findings...)
	for _, r := range all.repeats {
		if z.offsets[place{r.Partition, r.Offset}] {
			c.zombies++
			continue
		}
		c.repeats = append(c.repeats, r)
	}
}

// without are the occurrences of a key but those that came late.
func (z zombies) without(got []occurrence) (counting []occurrence) {
	inTime := map[flow.Message]bool{}
	for _, o := range got {
		if !z.late[o.record] {
			inTime[o.message] = true
		}
	}
	for _, o := range got {
		if !z.late[o.record] || !inTime[o.message] {
			counting = append(counting, o)
		}
	}
	return counting
}
