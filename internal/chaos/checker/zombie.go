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
// taken its place. At least once nothing can keep it from that. So they count apart,
// where the message is there without them: that one is what is tested then.
type zombies struct {
	hop  *Hop
	late map[*Record]bool
}

func findZombies(hop *Hop) zombies {
	z := zombies{hop: hop, late: map[*Record]bool{}}
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
				z.late[r] = true
			}
		}
	}
	return z
}

// without are the occurrences of a key that count.
func (z zombies) without(c *check, got []occurrence) []occurrence {
	if len(z.late) == 0 {
		return got
	}
	inTime := map[flow.Message]bool{}
	for _, o := range got {
		if !z.late[o.record] {
			inTime[o.message] = true
		}
	}
	var counting []occurrence
	for _, o := range got {
		if z.late[o.record] && inTime[o.message] {
			c.zombies++
			continue
		}
		counting = append(counting, o)
	}
	return counting
}
