package pipeline

import (
	"fmt"
	"reflect"

	"github.com/penstock/penstock/schemas"
)

// Stage declares a filter deployed between in and the pipe that it returns. The
// pipe has the stage's name unless it is Named, the parent's key unless it has a
// Key, and in's codec where the type is the same unless it has a Codec.
func Stage[In, Out any](in Pipe[In], name string, f Filter[In, Out], opts ...Option[Out]) Pipe[Out] {
	at := where()
	what := fmt.Sprintf("stage %q", name)
	in.mustExist(at, what)
	p := in.p
	set := apply(p, at, what, opts)
	inheritCodec[In, Out](in, what, set, at)
	out := newPipe[Out](p, set.nameOr(name), set, at)
	out.node.namedBy = set.namedBy(kindStage)
	if reflect.TypeFor[Out]() == reflect.TypeFor[None]() {
		p.problemf(at, "%s has no output; declare it with pipeline.Sink", what)
	}
	if _, ok := any(f).(RawFilter); ok && out.key != nil {
		p.problemf(at, "%s works on bytes, which its Key cannot read; leave Key out, and let the filter set the key of its outputs", what)
	}
	n := addStage(in, name, what, f, set, at, out)
	n.Outputs = append([]*PipeNode{out.node}, n.Outputs...)
	return Pipe[Out]{p, []*pipeSpec[Out]{out}}
}

// Sink declares a stage that has an effect outside and no pipe of its own.
//
// It takes Lanes, Retry, Park, OnPoison, Breaker, Timeout and Use, and where its
// filter has outlets ExactlyOnce and CommitEvery.
func Sink[In any](in Pipe[In], name string, f Filter[In, None], opts ...SinkOption) {
	at := where()
	what := fmt.Sprintf("sink %q", name)
	in.mustExist(at, what)
	set := apply(in.p, at, what, opts)
	set.refuse(in.p, at, what+" makes no pipe", "leave IT out", pipeOptions...)
	addStage[In, None](in, name, what, f, set, at, nil).sinksExactly(in.p, what)
}

// inheritCodec sets the input's codec where the type is the same. Inputs that
// were merged must agree on it.
func inheritCodec[In, Out any](in Pipe[In], what string, set *Settings, at place) {
	if set.codec != nil {
		return
	}
	first, ok := any(in.specs[0].codec).(schemas.Codec[Out])
	if !ok {
		return
	}
	for _, s := range in.specs[1:] {
		if any(s.codec) != any(first) {
			in.p.problemf(at, "%s reads pipes %q and %q, which have different codecs; say with pipeline.Codec which one its output has",
				what, in.specs[0].node.Name, s.node.Name)
			return
		}
	}
	set.codec = first
}

// addStage adds a stage to the pipeline of in; out is nil where it has no pipe
// of its own.
func addStage[In, Out any](in Pipe[In], name, what string, f Filter[In, Out], set *Settings, at place, out *pipeSpec[Out]) *StageNode {
	p := in.p
	n := &StageNode{
		Name:        name,
		Group:       p.name + "." + name,
		Location:    at.String(),
		Inputs:      in.nodes(),
		Lanes:       set.lanes,
		Attempts:    set.attempts,
		Backoff:     set.backoff,
		Timeout:     set.timeout,
		Middleware:  set.middleware,
		PoisonTopic: p.name + "." + name + "." + nameOfPoison,
		at:          at,
		filter:      f,
	}
	n.parking(p, what, set)
	n.guard(p, what, set, f)
	n.exactly(p, what, set)
	if !p.open(at, what) {
		return n
	}
	p.stages = append(p.stages, n)
	for _, i := range n.Inputs {
		i.readers++
	}
	if isNil(f) {
		p.problemf(at, "%s has a nil filter; give it one", what)
		return n
	}
	n.Outputs = outletsOf(p, at, what, f)
	n.OutsideTopics = outsideTopicsOf(p, at, what, f)
	n.outsideCodec = outsideCodecOf(p, at, what, f)
	for _, s := range in.specs {
		n.Calls = append(n.Calls, makeCall(s, out, n.Outputs, f))
	}
	addBatch(in, n, what, f, set, out)
	return n
}

// addBatch completes the stage of a filter that takes batches.
func addBatch[In, Out any](in Pipe[In], n *StageNode, what string, f Filter[In, Out], set *Settings, out *pipeSpec[Out]) {
	b, ok := f.(BatchFilter[In, Out])
	if !ok {
		return
	}
	p := in.p
	n.Batch = &BatchNode{}
	n.Batch.Max, n.Batch.Wait = b.Batch()
	if n.Batch.Max < 1 || n.Batch.Wait < 0 {
		p.problemf(n.at, "%s takes batches of %d messages and waits %v for them; it must take at least 1 and wait at least 0", what, n.Batch.Max, n.Batch.Wait)
	}
	if _, ok := any(f).(RawFilter); ok {
		p.problemf(n.at, "the filter of %s takes both batches and raw messages; make it do one", what)
	}
	n.Lanes = 1
	set.refuse(p, n.at, what+" takes batches, each of one partition and one after the other", "leave IT out", optLanes)
	set.refuse(p, n.at, what+" takes batches, and middleware goes around single messages", "leave IT out, or use a filter that takes single messages", optUse)
	for _, s := range in.specs {
		n.Batch.Calls = append(n.Batch.Calls, makeBatchCall(s, out, n.Outputs, b))
	}
}

// outletsOf lists the pipes that a filter emits to beside its own.
func outletsOf(p *Pipeline, at place, what string, f any) []*PipeNode {
	o, ok := f.(Outletter)
	if !ok {
		return nil
	}
	var outlets []*PipeNode
	for _, a := range o.Outlets() {
		switch {
		case a == nil || a.owner() == nil:
			p.problemf(at, "%s has a zero Pipe among its outlets; give its filter one that NewPipe returned", what)
		case len(a.nodes()) > 1:
			p.problemf(at, "%s has a merged pipe among its outlets; name one of the pipes it was merged of", what)
		case a.owner() != p:
			mixed(at, p, a.owner(), fmt.Sprintf("%s has an outlet to pipe %q", what, a.nodes()[0].Name))
		default:
			outlets = append(outlets, a.nodes()[0])
		}
	}
	return outlets
}

// mixed reports to both of two pipelines, since nobody knows which is built.
func mixed(at place, p, q *Pipeline, what string) {
	for _, r := range []*Pipeline{p, q} {
		r.problemf(at, "%s, which mixes pipelines %q and %q; keep a pipeline to its own pipes, and let the other declare the topic with NewPipe", what, p.name, q.name)
	}
}

// namedBy is kind where the pipe takes the name of the source or stage.
func (s *Settings) namedBy(kind string) string {
	if s.has(optNamed) {
		return ""
	}
	return kind
}

// nameOr is what Named says, or the name of the source or stage.
func (s *Settings) nameOr(name string) string {
	if s.has(optNamed) {
		return s.name
	}
	return name
}
