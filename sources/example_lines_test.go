package sources_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

// Each line of a file starts a job. A run with --drain ends when all are done.
func ExampleLines() {
	dir, err := os.MkdirTemp("", "urls")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	name := filepath.Join(dir, "urls.txt")
	if err := os.WriteFile(name, []byte("https://example.org/a\n\nhttps://example.org/b\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	p := pipeline.New("crawl")
	pipeline.Source(p, "urls", sources.Lines(name, sources.MaxLine(2000)), pipeline.Open())
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	err = graph.Sources[0].Run(context.Background(), func(_ context.Context, ts ...pipeline.RawTrigger) error {
		for _, t := range ts {
			fmt.Println(string(t.Value))
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// https://example.org/a
	// https://example.org/b
	// <nil>
}
