package sinks_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

type Invoice struct {
	Number, Customer, Text string
}

// Each invoice becomes a file. One that comes twice is the same file; a name that
// would leave the folder is rejected.
func ExampleFiles() {
	dir, err := os.MkdirTemp("", "invoices")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	sink := sinks.Files(dir, func(_ context.Context, i Invoice) (string, []byte, error) {
		return i.Customer + "/" + i.Number + ".txt", []byte(i.Text), nil
	}, sinks.Mode(0o600))

	for _, i := range []Invoice{
		{"1001", "ann", "3 apples"},
		{"1001", "ann", "3 apples"},
		{"1002", "../../bob", "a pear"},
	} {
		_, err := pipeline.Apply(context.Background(), sink, i)
		verdict, _ := pipeline.Judge(err)
		fmt.Println(i.Number, verdict)
	}
	text, err := os.ReadFile(filepath.Join(dir, "ann", "1001.txt"))
	fmt.Println(string(text), err)
	// Output:
	// 1001 done
	// 1001 done
	// 1002 rejected
	// 3 apples <nil>
}
