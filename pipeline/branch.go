package pipeline

import (
	"context"
	"errors"
	"fmt"
)

// Branches is a stage that sends each message into one of its pipes.
type Branches[T any] struct {
	in    Pipe[T]
	name  string
	stage *StageNode
	node  *branchNode
	cases *branchFilter[T]
}

// branchNode is what Build checks of a branch.
type branchNode struct {
	name      string
	at        place
	cases     int
	otherwise bool
}

// Branch declares a stage that routes by content: a message goes into the pipe
// of the first case that holds. A message for which none does is poisoned; add
// Otherwise to take it. The pipes have in's codec and the message's key unless
// their cases say otherwise.
//
// It takes Retry, Timeout and Use.
func Branch[T any](in Pipe[T], name string, opts ...SinkOption) *Branches[T] {
	at := where()
	what := fmt.Sprintf("branch %q", name)
	in.mustExist(at, what)
	set := apply(in.p, at, what, opts)
	set.refuse(in.p, at, what+" has no pipe but those of its cases", "move IT to When or Otherwise", pipeOptions...)
	b := &Branches[T]{in: in, name: name, cases: &branchFilter[T]{}, node: &branchNode{name: name, at: at}}
	b.stage = addStage[T, T](in, name, what, b.cases, set, at, nil)
	if in.p.graph == nil {
		in.p.branches = append(in.p.branches, b.node)
	}
	return b
}

// When adds the named pipe for the messages for which pred holds and no earlier
// case did.
//
// It takes Key, Codec, Partitions and Open.
func (b *Branches[T]) When(pipe string, pred func(T) bool, opts ...Option[T]) Pipe[T] {
	at := where()
	if pred == nil {
		b.in.p.problemf(at, "the condition of case %q of branch %q is nil; give it a function, or use Otherwise", pipe, b.name)
	}
	return b.add(at, pipe, pred, opts)
}

// Otherwise adds the named pipe for all other messages. It comes last.
//
// It takes Key, Codec, Partitions and Open.
func (b *Branches[T]) Otherwise(pipe string, opts ...Option[T]) Pipe[T] {
	out := b.add(where(), pipe, func(T) bool { return true }, opts)
	b.node.otherwise = true
	return out
}

func (b *Branches[T]) add(at place, pipe string, pred func(T) bool, opts []Option[T]) Pipe[T] {
	p := b.in.p
	what := fmt.Sprintf("case %q of branch %q", pipe, b.name)
	set := apply(p, at, what, opts)
	set.refuse(p, at, what+" runs no filter of its own", "move IT to Branch", stageOptions...)
	set.refuse(p, at, what+" already has its pipe's name", "give it the right one as the first argument", optNamed)
	if b.node.otherwise {
		p.problemf(at, "%s comes after Otherwise and would get nothing; put it before", what)
	}
	inheritCodec[T, T](b.in, what, set, at)
	s := newPipe[T](p, pipe, set, at)
	s.node.fromBranch = b.name
	if p.graph == nil {
		b.node.cases++
		b.stage.Outputs = append(b.stage.Outputs, s.node)
		b.cases.list = append(b.cases.list, branchCase[T]{pred, s})
	}
	return Pipe[T]{p, []*pipeSpec[T]{s}}
}

// branchFilter is the filter of a branch. It has cases only after its stage was
// declared, and none is added after Build.
type branchFilter[T any] struct {
	list []branchCase[T]
}

type branchCase[T any] struct {
	holds func(T) bool
	spec  *pipeSpec[T]
}

var errNoCase = errors.New("no case of the branch holds")

// Filter forwards m into the pipe of the first case that holds.
func (f *branchFilter[T]) Filter(_ context.Context, m *Message[T], out *Emitter[T]) error {
	for i := range f.list {
		if c := &f.list[i]; c.holds(m.Body) {
			forward(out.call, c.spec, m, nil)
			return nil
		}
	}
	return Reject(errNoCase)
}
