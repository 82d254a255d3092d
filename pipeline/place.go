package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// place is a line of the user's program.
type place struct {
	file string
	line int
}

// String is relative to the working directory where that is shorter to read.
func (p place) String() string {
	file := p.file
	if dir, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
			file = rel
		}
	}
	return fmt.Sprintf("%s:%d", filepath.ToSlash(file), p.line)
}

// self begins the names of this package's functions, and of no others: those of
// its tests begin with pipeline_test.
const self = "github.com/penstock/penstock/pipeline."

// where returns the line that called into this package. It goes by the names of
// functions, because the paths of files are whatever the build made them.
func where() place {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, self) || !more {
			return place{file: f.File, line: f.Line}
		}
	}
}
