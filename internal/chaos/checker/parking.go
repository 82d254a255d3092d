package checker

import (
	"fmt"
	"time"

	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/retrylog"
)

// Parking is what the retry logs of a run tell beside findings.
type Parking struct {
	Parked    int // PARKs of messages that were not parked
	Runs      int // STARTs
	Takeovers int
	Short     int // takeovers that another followed before anything was written
	Dropped   int // parked messages that a takeover left to the input
	Again     int // messages that were started again though they were at their ends
	Void      int // records that came too late to count
	Staying   int // messages that are parked at the end
	Delays    int // long waits
	Gaps      int // how often records were cut that nobody has read
	Unread    int // how many these were
}

func (p Parking) plus(q Parking) Parking {
	p.Parked += q.Parked
	p.Runs += q.Runs
	p.Takeovers += q.Takeovers
	p.Short += q.Short
	p.Dropped += q.Dropped
	p.Again += q.Again
	p.Void += q.Void
	p.Staying += q.Staying
	p.Delays += q.Delays
	p.Gaps += q.Gaps
	p.Unread += q.Unread
	return p
}

// String is one line.
func (p Parking) String() string {
	return fmt.Sprintf("parked %d times, %d runs, %d takeovers (%d of them followed by another at once, %d messages left to the input, %d started again), %d void records, %d long waits, %d messages stay parked; %d records in %d gaps were not seen",
		p.Parked, p.Runs, p.Takeovers, p.Short, p.Dropped, p.Again, p.Void, p.Delays, p.Staying, p.Unread, p.Gaps)
}

// parking tests the hop's retry log, each partition by a fold of its own:
//
//   - one owner at a time: an epoch is begun by a TAKE, before its other records,
//     and one producer writes all of them;
//   - what is parked is what stands in the input, to the byte, and had the attempts
//     that the log says, each of which was one that fails;
//   - a message is started only while it is parked, when its time has come, when no
//     run of it is under way, and with all of its key that stand before it; it ends
//     only after that, and when its outputs or its poison are there;
//   - from the log and the outputs together: nothing comes of a message while it is
//     parked and not started, or while another of its key is parked before it;
//   - at each takeover, whatever stands in the input below the offset from which it
//     is read on is at its end or parked; that offset never goes back;
//   - while a key waits for long the others of its partition go on;
//   - at the end what is to stay is parked, and nothing else.
//
// The logs of different partitions have no order among each other but by their
// times, which are all of one clock: of the broker where it stores a PARK, of the
// producer where it sends an output. What happens within a millisecond is taken for
// the order that is allowed. And what happened before an output was sent cannot be
// seen: an attempt that began too early and took long enough is not found. Where the
// owner has cut its log before all of it was read, what was parked then is taken from
// the copies behind, and until the next takeover what was not seen is not missed.
func (c *check) parking(hop Hop, d dues, z zombies) {
	p := &parkings{check: c, zombies: z, hop: &hop, dues: d, ends: endTimes(hop), stretches: map[string][]*stretch{}, reported: map[Origin]bool{}}
	for from := 0; from < len(hop.Log); {
		to := from
		for to < len(hop.Log) && hop.Log[to].Partition == hop.Log[from].Partition {
			to++
		}
		p.partition(hop.Log[from:to])
		from = to
	}
	p.stay()
	p.overtaken()
	p.heldUp()
}

// parkings tests the retry log of a hop.
type parkings struct {
	check   *check
	zombies zombies
	hop     *Hop
	dues    dues
	ends    map[flow.Message]time.Time // of inputs: when all of their outputs, or their poison, were there first

	stretches map[string][]*stretch // by key
	live      map[flow.Message]int  // at the end
	reported  map[Origin]bool       // held up
}

// stretch is the time during which a message was parked.
type stretch struct {
	message  flow.Message
	origin   Origin
	from, to time.Time // to is zero where it is parked at the end
	runs     []step
	waits    []wait
}

// step is the begin of a run of the message, or the end of one.
type step struct {
	at  time.Time
	run int64 // the offset of its START, -1: the end
}

// wait is one for the next attempt.
type wait struct{ from, to time.Time }

// endTimes are the times at which the inputs were at their ends.
func endTimes(hop Hop) map[flow.Message]time.Time {
	outputs, ends := firstTimes(hop.Outputs), firstTimes(hop.Poison)
	for i := range hop.Inputs {
		m, err := flow.Parse([]byte(hop.Inputs[i].Value))
		if err != nil || hop.Stage.Poisons(m) {
			continue
		}
		var last time.Time
		all := true
		for _, made := range hop.Stage.Make(m) {
			at, ok := outputs[made]
			all = all && ok
			if at.After(last) {
				last = at
			}
		}
		if all {
			ends[m] = last
		}
	}
	return ends
}

// firstTimes are the times of the messages' first occurrences.
func firstTimes(records []Record) map[flow.Message]time.Time {
	first := map[flow.Message]time.Time{}
	for i := range records {
		r := &records[i]
		if m, err := flow.Parse([]byte(r.Value)); err == nil {
			if at, ok := first[m]; !ok || r.Time.Before(at) {
				first[m] = r.Time
			}
		}
	}
	return first
}

// endedBy tells whether a message was at its end at a time. Times are of
// milliseconds.
func (p *parkings) endedBy(m flow.Message, at time.Time) bool {
	end, ok := p.ends[m]
	return ok && !end.After(at)
}

// stay tests what is parked at the end.
func (p *parkings) stay() {
	for m, input := range p.dues.staying {
		if p.live[m] == 0 {
			p.check.foundf(Lost, m, input, "it is to stay parked, and is not")
		}
	}
	for _, of := range p.stretches {
		for _, s := range of {
			if s.to.IsZero() && !p.hop.Stage.Stays(s.message) {
				p.check.foundf(Misparked, s.message, &Record{Topic: s.origin.Topic, Partition: s.origin.Partition, Offset: s.origin.Offset},
					"it is still parked at the end, since %s", clock(s.from))
			}
		}
	}
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// at is where a record of the log is, for a finding.
func at(r *retrylog.Record) *Record {
	return &Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
}
