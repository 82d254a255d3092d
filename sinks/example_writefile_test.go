package sinks_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// A stage whose result is large writes it into a file and passes on the path. A
// second attempt writes the same file.
func ExampleWriteFile() {
	work, err := os.MkdirTemp("", "work")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(work) }()

	render := filters.Map(func(ctx context.Context, text string) (string, error) {
		name := pipeline.FromContext(ctx).ID + ".txt"
		page := strings.Repeat(text+"\n", 1000)
		if err := sinks.WriteFile(work, name, []byte(page)); err != nil {
			return "", err
		}
		return filepath.Join(work, name), nil
	})

	d := &pipeline.Delivery{Attempt: 1}
	d.ID = "page-1"
	paths, err := pipeline.Apply(pipeline.WithDelivery(context.Background(), d), render, "hello")
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := os.ReadFile(paths[0])
	fmt.Println(filepath.Base(paths[0]), len(page), err)
	// Output: page-1.txt 6000 <nil>
}
