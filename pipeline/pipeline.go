// Package pipeline is what a user declares: pipelines, pipes, stages, sources,
// sinks and their settings.
//
// Declarations never fail. [Pipeline.Build] reports every mistake at once, each
// with its place and with what to change, and returns a [Graph]: the pipeline as
// data, without types, for what runs it or draws it. The package knows nothing of
// Kafka and starts no goroutine.
package pipeline

// Pipeline is a named graph of pipes and stages. It is declared by one
// goroutine.
type Pipeline struct {
	name     string
	at       place
	pipes    []*PipeNode
	stages   []*StageNode
	sources  []*SourceNode
	branches []*branchNode
	problems []problem
	graph    *Graph // set by the first Build that finds nothing wrong
}

// New begins a pipeline. Its name is the first part of the names of its topics
// and consumer groups: letters, digits, - and _.
func New(name string) *Pipeline { return &Pipeline{name: name, at: where()} }

// Name returns the pipeline's name.
func (p *Pipeline) Name() string { return p.name }

// open tells whether p takes declarations; what comes after Build is reported by
// the next one.
func (p *Pipeline) open(at place, what string) bool {
	if p.graph == nil {
		return true
	}
	p.problemf(at, "%s is declared after Build; declare everything before", what)
	return false
}
