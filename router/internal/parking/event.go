package parking

import (
	"time"

	"github.com/penstock/penstock/router/kafka"
)

// Event is what one record of a retry log says: a [*Take], [*Resume], [*Park],
// [*Start], [*Done], [*Replay], [*Drop] or [*Scan].
type Event interface{ kind() kind }

// Entry names what is parked within one partition of a retry log. Of a message
// of the input it is the input topic's id and the message's offset; of a replay
// it is the poison topic's id and the offset of the poison record.
type Entry struct {
	Topic  [16]byte
	Offset int64
}

// Message is the original, byte for byte. A nil Key means that there is none,
// an empty one is a key; a nil Value is a tombstone.
type Message struct {
	Key     []byte
	Value   []byte
	Headers []kafka.Header
}

// Take says that somebody takes the partition over. Its own offset is the epoch of
// all that this owner writes; what the owners before write from here on is void.
type Take struct{}

// Resume says where the epoch's owner goes on reading the input. Live messages of
// the topic at or above Start are dropped, because the input brings them again;
// replays stay. It is written when the group has said, after TAKE was stored, that
// the owner is a member still: until then Start may be an offset of long ago.
type Resume struct {
	Epoch int64
	Topic [16]byte // the input topic's id: a topic made anew brings nothing of the old one again
	Start int64    // the offset at which reading of the input goes on
}

// Park says that a message is parked, or parked again.
type Park struct {
	Epoch int64
	Entry Entry

	// Rank orders the messages of a key: the offset of the first PARK or REPLAY.
	// -1 in the first PARK, whose own offset it is.
	Rank int64

	// Prev is the offset of the record, PARK or REPLAY, that this one takes the
	// place of. -1 in the first PARK.
	Prev int64

	// Attempts is how often the message was tried and failed: 0 for one that
	// only queues up behind another of its key.
	Attempts int

	// Starts is how often it was started since it was parked last for another
	// reason than to be copied. It is kept where a record is copied.
	Starts int

	// NotBefore is the time before which it is not tried. Zero: at once.
	NotBefore time.Time

	// Held says that the attempts are used up, the poison record is written, and
	// the key waits for an operator.
	Held bool

	// Since is the time of the first failure. Zero: there was none yet.
	Since time.Time

	// FirstError and LastError are the texts of the first and the last failure.
	// Encode cuts them at MaxErrorText.
	FirstError, LastError string

	// SourceTime is when the message was stored in the input.
	SourceTime time.Time

	// Replay is set where the message was replayed, and is kept with it.
	Replay *Replayed

	Message Message
}

// Replayed is what a replay knows of the message's life before.
type Replayed struct {
	// Of is the message's own entry: of the input, however often it was
	// replayed before.
	Of Entry

	// Where the message was read first, for its envelope's id: Of has the
	// topic's id and the offset.
	SourceTopic     string
	SourcePartition int32
	SourceTime      time.Time

	Edited     bool   // the message is not as it was
	Attempts   int    // how often it was tried before
	FirstError string // of its first attempt ever; cut at MaxErrorText
	Replays    int    // how often it was replayed before this time
	By         string // who asked for it; cut at MaxName
	At         time.Time
}

// Start says that the messages are about to be tried. It is written before.
type Start struct {
	Epoch   int64
	Entries []Entry // of one key; at least one
}

// Outcome is how a message ended.
type Outcome uint8

// What a DONE says of its messages.
const (
	Succeeded Outcome = 1 // its outputs, if any, are stored
	Skipped   Outcome = 2 // the filter dropped it
	Poisoned  Outcome = 3 // its poison record is stored
)

// Done says that messages are at their end: whatever comes of them is stored.
type Done struct {
	Epoch   int64
	Outcome Outcome
	Entries []Entry // of one key; at least one
}

// Replay is an operator's: try a poisoned message again. It is valid in any
// epoch. Where the message, or an earlier replay of it, is held, the replay
// takes that one's place in the key; else it queues up behind what is parked.
// Where the same replay is live already, and not held, it says nothing new.
type Replay struct {
	Entry    Entry // the poison record's
	Replayed Replayed
	Message  Message
}

// Drop is an operator's: let go of a held message, so that its key goes on. It
// is valid in any epoch, and says nothing where the message is not held.
type Drop struct {
	Of Entry // the message's own entry, as in [Replayed]
	By string
	At time.Time
}

// Scan says that a fold may begin here, with this epoch in force, once all that
// is live and lies below has been copied behind it.
type Scan struct {
	Epoch int64
}

// AsPark is the state that a REPLAY at the offset begins with, in the words of
// a PARK: what is written again when an attempt of it has failed.
func (r *Replay) AsPark(offset int64) *Park {
	replayed := r.Replayed
	return &Park{
		Epoch: -1, Entry: r.Entry, Rank: offset, Prev: -1, SourceTime: r.Replayed.SourceTime,
		FirstError: r.Replayed.FirstError, Replay: &replayed, Message: r.Message,
	}
}

// Of is the message's own entry: that of the input's message, also of a replay.
func (p *Park) Of() Entry {
	if p.Replay != nil {
		return p.Replay.Of
	}
	return p.Entry
}

type kind uint8

// As they are written.
const (
	kindTake   kind = 1
	kindPark   kind = 2
	kindStart  kind = 3
	kindDone   kind = 4
	kindReplay kind = 5
	kindDrop   kind = 6
	kindScan   kind = 7
	kindResume kind = 8
)

func (*Take) kind() kind   { return kindTake }
func (*Park) kind() kind   { return kindPark }
func (*Start) kind() kind  { return kindStart }
func (*Done) kind() kind   { return kindDone }
func (*Replay) kind() kind { return kindReplay }
func (*Drop) kind() kind   { return kindDrop }
func (*Scan) kind() kind   { return kindScan }
func (*Resume) kind() kind { return kindResume }
