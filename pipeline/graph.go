package pipeline

import (
	"context"
	"net/http"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/schemas"
)

// Graph is a validated pipeline as data. It does not change after Build and may
// be used from many goroutines.
type Graph struct {
	// Name is the pipeline's.
	Name string

	// Pipes and Sources are in the order of their declaration. Stages are in
	// topological order: a stage comes after those that feed it.
	Pipes   []*PipeNode
	Stages  []*StageNode
	Sources []*SourceNode
}

// PipeNode is a pipe without its type.
type PipeNode struct {
	Name        string
	Topic       string // "<pipeline>.<pipe>"
	Type        string // the Go type of its values
	ContentType string // of its codec

	// Keyed tells that all of its messages have a key: its own, or one that
	// every stage that feeds it inherits.
	Keyed bool

	// Partitions is 0 where the pipeline leaves it to who makes the topics.
	Partitions int

	// Open tells that other programs read the topic.
	Open bool

	at          place
	namedBy     string // what gave it its name: a "stage", a "source", or "" for itself
	fromBranch  string // the branch whose case it is
	fromOutside bool   // declared by Source or NewPipe
	readers     int
	codec       any // a schemas.Codec of its type
	encode      func(any) ([]byte, string, bool, error)
	decode      func(context.Context, []byte) (any, error)
	encodeJSON  func(context.Context, []byte) ([]byte, string, bool, error)
}

// contentType is what a message of the pipe says of its value. Raw bytes are of a
// type that nobody here knows, and to say so on each message would tell a reader
// nothing.
func (n *PipeNode) contentType() string {
	if n.ContentType == schemas.ContentTypeRaw {
		return ""
	}
	return n.ContentType
}

// Encode encodes v, which must be of the pipe's type, and tells its key.
func (n *PipeNode) Encode(v any) (value []byte, key string, hasKey bool, err error) {
	return n.encode(v)
}

// Decode decodes a value of the pipe.
func (n *PipeNode) Decode(ctx context.Context, value []byte) (any, error) {
	return n.decode(ctx, value)
}

// EncodeJSON reads JSON as the pipe's type, whatever its codec is, and encodes
// it. For a pipe of raw bytes it takes them as they are.
func (n *PipeNode) EncodeJSON(ctx context.Context, json []byte) (value []byte, key string, hasKey bool, err error) {
	return n.encodeJSON(ctx, json)
}

// StageNode is a stage without its types.
type StageNode struct {
	Name  string
	Group string // the consumer group: "<pipeline>.<stage>"

	// Location is the file and line that declares it.
	Location string

	// Inputs are the pipes that it reads and Calls[i] handles a message of
	// Inputs[i].
	Inputs []*PipeNode
	Calls  []Call

	// Batch is set where the filter takes batches; its calls are used then.
	Batch *BatchNode

	// Outputs are its own pipe, if it has one, or a branch's, and then the
	// filter's outlets.
	Outputs []*PipeNode

	// OutsideTopics are the topics, pipes of nobody here, that the filter is known to
	// write to.
	OutsideTopics []string

	// Lanes is how many messages of a partition are worked on side by side. It
	// is 1 where the filter takes batches.
	Lanes int

	// Attempts is how often a message is tried, the first time included.
	Attempts int
	Backoff  Backoff

	// Timeout bounds an attempt. 0 is no bound.
	Timeout time.Duration

	// Parks is how often a parked message is tried, after its Attempts. 0 is no
	// parking.
	Parks       int
	ParkBackoff Backoff
	OnPoison    PoisonPolicy

	// ExactlyOnce has outputs and offsets be one transaction, which ends after
	// CommitInterval or CommitMessages. These are set only with it.
	ExactlyOnce    bool
	CommitInterval time.Duration
	CommitMessages int

	// Breaker guards what the filter calls. nil is none.
	Breaker *BreakerNode

	// Middleware goes around a call, the first outermost.
	Middleware []message.HandlerMiddleware

	// PoisonTopic takes what cannot succeed: "<pipeline>.<stage>.poison".
	PoisonTopic string

	// RetryTopics[i] is the retry log of Inputs[i], "<pipeline>.<stage>.retry.<pipe>".
	// It takes what is parked, and what is replayed.
	RetryTopics []string

	at           place
	filter       any
	outsideCodec schemas.Opener // of OutsideTopics; nil: it can use no schema registry
}

// Open opens the filter where it is an Opener.
func (n *StageNode) Open(ctx context.Context) error { return openAny(ctx, n.filter) }

// Close closes the filter where it is an Opener.
func (n *StageNode) Close(ctx context.Context) error { return closeAny(ctx, n.filter) }

// Envelope is what goes out beside o, which is the output at index i that this
// stage made of d. The id is o's own, or derived; the trace context is the
// parent's, for a caller to replace.
//
// It names the parent where that is not the trigger: its id is the job's.
func (n *StageNode) Envelope(d *Delivery, i int, o *Output) schemas.Envelope {
	e := schemas.Envelope{
		ID:          o.ID,
		Key:         o.Key,
		HasKey:      o.HasKey,
		Job:         d.Job,
		Sequence:    o.Sequence,
		Time:        d.Time,
		Type:        o.Pipe.Topic,
		Source:      n.Group,
		ReplyTo:     d.ReplyTo,
		TraceParent: d.TraceParent,
		TraceState:  d.TraceState,
		ContentType: o.Pipe.contentType(),
		Headers:     o.Headers,
	}
	if d.ID != d.Job {
		e.Parent = d.ID
	}
	if o.Outside != "" && o.Outside == d.ReplyTo {
		e.ReplyTo = "" // it is the reply: nobody waits for one to it
	}
	if e.ID == "" {
		e.ID = schemas.DeriveID(d.ID, n.Group, i)
	}
	return e
}

// SourceNode is a source without its type.
type SourceNode struct {
	Name string
	Pipe *PipeNode

	// Location is the file and line that declares it.
	Location string

	// Once tells that a trigger is to be put once, also over restarts, and
	// OnceTopic is where the ids of those that were put are kept:
	// "<pipeline>.<source>.once". It is empty where Once is false.
	Once      bool
	OnceTopic string

	// Finite tells that the source ends by itself.
	Finite bool

	// Run runs the source until it is done or ctx ends. See Sourcer for what its
	// result means.
	Run func(ctx context.Context, put PutFunc) error

	// Route and Handler are set for a source that is served over HTTP: see
	// ServedSource.
	Route   string
	Handler http.Handler

	// CopyOf, Group and Copy are set for a source that copies a topic, in place of
	// being run: the topic, the consumer group, and what makes a trigger of a
	// record. An error of Copy may pass: the record is to be copied later.
	CopyOf string
	Group  string
	Copy   func(ctx context.Context, d *Delivery) (RawTrigger, error)

	at     place
	source any
}

// Open opens the source where it is an Opener.
func (n *SourceNode) Open(ctx context.Context) error { return openAny(ctx, n.source) }

// Close closes the source where it is an Opener.
func (n *SourceNode) Close(ctx context.Context) error { return closeAny(ctx, n.source) }

func openAny(ctx context.Context, v any) error {
	if o, ok := v.(Opener); ok {
		return o.Open(ctx)
	}
	return nil
}

func closeAny(ctx context.Context, v any) error {
	if o, ok := v.(Opener); ok {
		return o.Close(ctx)
	}
	return nil
}

// Output is one encoded message that a filter made.
type Output struct {
	Pipe *PipeNode

	// Outside is the topic that it goes to in place of Pipe's, which says then only
	// how it looks. Empty: Pipe's.
	Outside string

	// ID is empty where it is to be derived: see StageNode.Envelope.
	ID string

	// Key is a key, the empty one too, only where HasKey is set.
	Key    string
	HasKey bool

	// Value may share memory with the delivery that it was made of.
	Value    []byte
	Headers  []schemas.Header
	Sequence int64 // 0: none
}

// Topic is where the output goes.
func (o *Output) Topic() string {
	if o.Outside != "" {
		return o.Outside
	}
	return o.Pipe.Topic
}

// validate finds what the reader of the output would have to poison.
func (o *Output) validate() error {
	e := schemas.Envelope{ID: o.ID, Sequence: o.Sequence}
	return e.Validate()
}

// Outputs collects what calls make. A runner may use it again after Reset.
type Outputs struct {
	List []Output

	calls any // a *callSlab of the types of the last call
}

// Reset empties o and keeps its memory.
func (o *Outputs) Reset() { o.truncate(0) }

func (o *Outputs) truncate(n int) {
	clear(o.List[n:])
	o.List = o.List[:n]
}

// add appends an empty output. It is valid until the next one is added.
func (o *Outputs) add() *Output {
	o.List = append(o.List, Output{})
	return &o.List[len(o.List)-1]
}
