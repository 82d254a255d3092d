package sources_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

// Each picture in a folder starts a job. The key is the file's name, so that the
// versions of one picture stay in order.
func ExampleFiles() {
	dir, err := os.MkdirTemp("", "pictures")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, name := range []string{"b.jpg", "a.png", "notes.txt", ".a.png.part", "2026/c.png", "drafts/d.png"} {
		path := filepath.Join(dir, name)
		_ = os.MkdirAll(filepath.Dir(path), 0o755)
		_ = os.WriteFile(path, []byte("a picture"), 0o644)
	}

	p := pipeline.New("thumbnails")
	pipeline.Source(p, "pictures", sources.Files(dir, sources.Glob("*.png", "*.jpg"), sources.Exclude("drafts")),
		pipeline.Key(func(f sources.File) string { return f.Name }),
		pipeline.Open())

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	err = graph.Sources[0].Run(context.Background(), func(_ context.Context, triggers ...pipeline.RawTrigger) error {
		for _, t := range triggers {
			fmt.Println(t.Key)
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// 2026/c.png
	// a.png
	// b.jpg
	// <nil>
}
