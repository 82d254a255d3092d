package sources

import (
	"io"

	"github.com/penstock/penstock/pipeline"
)

// LinesOfInput is Lines of a standard input that is r.
func LinesOfInput(r io.Reader, opts ...LinesOption) pipeline.Sourcer[[]byte] {
	s := Lines(standardInput, opts...).(*linesSource)
	s.stdin = r
	return s
}
