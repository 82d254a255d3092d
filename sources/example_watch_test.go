package sources_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

// A watched folder: files that come later are taken too, once they have stood
// still for the time that Settle says.
func ExampleWatch() {
	dir, err := os.MkdirTemp("", "inbox")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	put := func(name string) { _ = os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644) }

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	inbox := sources.Files(dir, sources.Watch(), sources.Settle(20*time.Millisecond))
	put("before.txt")
	err = inbox.Source(ctx, func(_ context.Context, triggers ...pipeline.Trigger[sources.File]) error {
		for _, t := range triggers {
			fmt.Println(t.Body.Name)
			if t.Body.Name == "before.txt" {
				put("after.txt")
			} else {
				stop()
			}
		}
		return nil
	})
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// before.txt
	// after.txt
	// true
}
