package sinks_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// Clicks are archived as JSON lines, a file for each minute or for each five thousand
// of them, whichever comes first.
func ExampleJSONLines() {
	type Click struct {
		Page string `json:"page"`
	}
	dir, err := os.MkdirTemp("", "clicks")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	sink := sinks.JSONLines[Click](dir, sinks.RollConfig{MostMessages: 5000, Wait: time.Minute})
	d := &pipeline.Delivery{Attempt: 1, Topic: "web.clicks", Partition: 3, Offset: 42}
	d.ID = "click-42"
	if _, err := pipeline.Apply(pipeline.WithDelivery(context.Background(), d), sink, Click{"/prices"}); err != nil {
		fmt.Println(err)
		return
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	text, err := os.ReadFile(names[0])
	fmt.Println(filepath.Base(names[0]))
	fmt.Print(string(text))
	fmt.Println(err)
	// Output:
	// web.clicks-3-00000000000000000042-wPghd77x.jsonl
	// {"page":"/prices"}
	// <nil>
}
