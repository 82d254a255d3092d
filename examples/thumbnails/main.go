// Thumbnails makes a thumbnail of every picture in a folder: three stages,
// connected by topics, that share both cores.
//
//	go run ./examples/thumbnails
//	go run ./examples/thumbnails --in DIR --out DIR --watch
//	go run ./examples/thumbnails poison ls
package main

import (
	"errors"
	"fmt"
	"go/build"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/pipeline"
)

func main() { program().Execute() }

func program() cmd.Program {
	f := &folders{}
	return cmd.Program{
		Name:  "thumbnails",
		Short: "Make a thumbnail of every picture in a folder",
		Flags: func(flags *pflag.FlagSet) {
			flags.StringVar(&f.in, "in", filepath.Join(build.Default.GOROOT, "src", "image"), "folder to take pictures from; by default Go's own test data")
			flags.StringVar(&f.out, "out", filepath.Join("out", "thumbnails"), "folder to write thumbnails to")
			flags.BoolVar(&f.watch, "watch", false, "go on with pictures that are added, until stopped")
		},
		Pipelines: func() ([]*pipeline.Pipeline, error) {
			if err := f.complete(); err != nil {
				return nil, err
			}
			return []*pipeline.Pipeline{Thumbnails(f)}, nil
		},
		Drain:   func() bool { return !f.watch },
		Summary: f.summary,
	}
}

// complete makes the folders absolute: other processes may have another
// working directory.
func (f *folders) complete() error {
	if f.in == "" || f.out == "" {
		return errors.New("--in and --out name folders: neither may be empty")
	}
	in, errIn := filepath.Abs(f.in)
	out, errOut := filepath.Abs(f.out)
	f.in, f.out = in, out
	return errors.Join(errIn, errOut)
}

func (f *folders) summary(s cmd.Summary) string {
	published := s.Stage("publish")
	done := published.In - published.Poisoned
	return fmt.Sprintf("%d thumbnails in %s, %d pictures poisoned, %.0f images a second",
		done, f.out, s.Poisoned(), s.PerSecond(done))
}
