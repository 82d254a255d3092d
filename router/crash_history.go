package router

import (
	"cmp"
	"encoding/hex"
	"math"
	"slices"

	"github.com/penstock/penstock/router/internal/parking"
)

// history is how the owners of a partition have ended, as far as the one before has
// said so, or has not: it is committed beside the offset. An owner that ends without
// a word has crashed, was killed, or was evicted. Its methods only compute.
type history struct {
	// Open means that an owner is at work, or ended without a word. By is its
	// process.
	Open bool   `json:"open,omitempty"`
	By   string `json:"by,omitempty"`

	// Ends counts ends without a word since the partition got past the suspects:
	// its messages from the committed offset up to Until.
	Ends  int   `json:"ends,omitempty"`
	Until int64 `json:"until,omitempty"`

	// Begun is the bound of what has been begun of the input, where that is committed
	// before it is: see bounded.
	Begun int64 `json:"begun,omitempty"`

	// At is the message that is alone at work.
	At *suspect `json:"at,omitempty"`

	// Alone are those that were when an owner ended, or are to be when they are tried
	// again.
	Alone []suspect `json:"alone,omitempty"`
}

// suspect is a message that was alone at work when owners ended.
type suspect struct {
	Topic  string `json:"topic,omitempty"` // its id, in hex; empty: the input's
	Offset int64  `json:"offset"`
	Ends   int    `json:"ends,omitempty"`
}

// suspectOf names a message of a claim.
func suspectOf(input [16]byte, e parking.Entry) suspect {
	s := suspect{Offset: e.Offset}
	if e.Topic != input {
		s.Topic = hex.EncodeToString(e.Topic[:])
	}
	return s
}

func (s suspect) is(other suspect) bool { return s.Topic == other.Topic && s.Offset == other.Offset }

// maxSuspects bounds those that are remembered, so that they fit beside an offset.
const maxSuspects = 16

// Bounds of what else is remembered.
const (
	maxEnds  = 1 << 30
	maxOwner = 64 // bytes of what names a process
)

// valid tells whether owners write such a history: others can commit anything beside
// an offset, and what is longer than it could be would not be stored again.
func (h *history) valid() bool {
	if h.Ends < 0 || h.Ends > maxEnds || h.Until < 0 || h.Begun < 0 || len(h.By) > maxOwner || len(h.Alone) > maxSuspects {
		return false
	}
	if h.At != nil && !h.At.valid() {
		return false
	}
	return !slices.ContainsFunc(h.Alone, func(s suspect) bool { return !s.valid() })
}

func (s suspect) valid() bool {
	topic, err := hex.DecodeString(s.Topic)
	return err == nil && (len(topic) == 0 || len(topic) == len(parking.Entry{}.Topic)) && s.Offset >= 0 && s.Ends >= 0 && s.Ends <= maxEnds
}

// crashLimits are what a stage is configured to.
type crashLimits struct {
	before int // ends before suspects run alone
	alone  int // ends of one alone before it is poisoned
}

// flow is how a claim takes messages up.
type flow int

const (
	flowNormal flow = iota
	flowNarrow      // few at a time: so there will be few suspects
	flowAlone       // one at a time, and nothing beside it
)

// String returns the flow's name.
func (f flow) String() string { return [...]string{"normal", "narrow", "alone"}[f] }

// narrowLength is how many messages are begun at a time in narrow flow.
const narrowLength = 64

// maxHeld is how many messages of a stage may be held, each because processes ended
// while it was alone, as long as no other has succeeded: one more would say nothing
// about that message, but that all of them do it.
const maxHeld = 3

// flow is that of the claim. The last one before the suspects run alone is narrow.
func (h *history) flow(l crashLimits) flow {
	switch {
	case h.Ends >= l.before:
		return flowAlone
	case h.Ends > 0 && h.Ends == l.before-1:
		return flowNarrow
	default:
		return flowNormal
	}
}

// bounded tells whether nothing is begun before a bound of it is committed: where one
// more end has to say what may have been at work.
func (h *history) bounded(l crashLimits) bool { return h.Ends+1 >= l.before-1 }

// boundLength is how many messages are begun in normal flow until the next bound has to
// be committed, where one has to be.
const boundLength = 16384

// taken is the history of a claim that begins at an offset, in the process me. An end
// without a word counts, unless it is this process that said none: it lives.
func (h *history) taken(me string, start int64, l crashLimits) history {
	before, h := h, &history{Open: true, By: me, Ends: h.Ends, Until: h.Until, Begun: start, Alone: slices.Clone(h.Alone)}
	if !before.Open || before.By == me {
		return *h
	}
	switch {
	case before.flow(l) == flowAlone:
		h.Until = max(before.Until, before.Begun)
	case before.bounded(l):
		h.Until = before.Begun
	default:
		h.Until = math.MaxInt64 // until it is known where the partition ends
	}
	h.Ends = min(h.Ends+1, maxEnds)
	if before.At != nil {
		h.blame(*before.At)
	}
	return *h
}

// blame counts an end of an owner while the message was alone at work.
func (h *history) blame(s suspect) {
	if i := slices.IndexFunc(h.Alone, s.is); i >= 0 {
		h.Alone[i].Ends = min(h.Alone[i].Ends+1, maxEnds)
		return
	}
	s.Ends = 1
	h.add(s)
}

func (h *history) add(s suspect) {
	h.Alone = append(h.Alone, s)
	if len(h.Alone) > maxSuspects { // the least is known of it
		least := slices.MinFunc(h.Alone, func(a, b suspect) int { return cmp.Compare(a.Ends, b.Ends) })
		h.forget(least)
	}
}

// watch has a message be alone at work that has to be tried again, also when all
// others are not: what it did not do now it may do then.
func (h *history) watch(s suspect) {
	if !slices.ContainsFunc(h.Alone, s.is) {
		h.add(s)
	}
}

// forget clears a message of suspicion.
func (h *history) forget(s suspect) {
	h.Alone = slices.DeleteFunc(slices.Clone(h.Alone), s.is)
}

// endsOf is how often an owner ended while the message was alone at work.
func (h *history) endsOf(s suspect) int {
	if i := slices.IndexFunc(h.Alone, s.is); i >= 0 {
		return h.Alone[i].Ends
	}
	return 0
}

// held is how many messages have ended as many owners as it takes.
func (h *history) held(l crashLimits) (n int) {
	for _, s := range h.Alone {
		if s.Ends >= l.alone {
			n++
		}
	}
	return n
}

// quiet tells whether owners have ended in an orderly way only.
func (h *history) quiet() bool { return h.Ends == 0 && len(h.Alone) == 0 }

// passed tells whether the suspects of the input are through, and begins anew if so.
func (h *history) passed(done int64) bool {
	if h.Ends == 0 || done < h.Until {
		return false
	}
	h.Ends, h.Until, h.Begun = 0, 0, 0
	return true
}

// released is the history when the claim ends in an orderly way. The process that is
// stopped while it holds messages, because nothing else has succeeded, may be stopped
// for another version: each of them is to have one more try.
func (h *history) released(stopped, proven bool, l crashLimits) history {
	h = &history{Ends: h.Ends, Until: h.Until, Begun: h.Begun, Alone: slices.Clone(h.Alone)}
	for i := range h.Alone {
		if stopped && !proven {
			h.Alone[i].Ends = min(h.Alone[i].Ends, l.alone-1)
		}
	}
	h.Alone = slices.DeleteFunc(h.Alone, func(s suspect) bool { return s.Ends == 0 })
	return *h
}

// verdict is what is to be done with a message whose turn has come.
type verdict int

const (
	begin      verdict = iota
	beginAlone         // and nothing beside it
	holdIt             // set it aside until another has succeeded
	halt               // begin nothing until another has succeeded
	condemn            // poison it
)

// judge says what is to be done with a message. It is suspected if it may have been at
// work when owners ended; proven means that another message has succeeded in this
// process, and held is how many are in the stage.
func (h *history) judge(s suspect, suspected, proven bool, held int, l crashLimits) verdict {
	ends := h.endsOf(s)
	switch {
	case ends >= l.alone && proven:
		return condemn
	case ends >= l.alone:
		return holdIt
	case !suspected && !slices.ContainsFunc(h.Alone, s.is):
		return begin
	case !proven && held >= maxHeld:
		return halt
	default:
		return beginAlone
	}
}
