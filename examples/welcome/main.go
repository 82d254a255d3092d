// Welcome is the program of docs/guide.md: it writes letters to guests.
//
//	go run ./examples/welcome
//	curl --json '{"name":"Ann","table":4}' http://127.0.0.1:8080/guests
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
	"github.com/penstock/penstock/sources"
)

// Guest is somebody who is to be welcomed.
type Guest struct {
	Name  string `json:"name"`
	Table int    `json:"table"`
}

func main() { cmd.Execute(Welcome()) }

// Welcome declares the pipeline: guests → write → send.
func Welcome() *pipeline.Pipeline {
	p := pipeline.New("welcome")

	guests := pipeline.Source(p, "guests", sources.HTTP[Guest]("POST /guests"),
		pipeline.Key(func(g Guest) string { return g.Name }))

	letters := pipeline.Stage(guests, "write", filters.Map(write),
		pipeline.Timeout(5*time.Second),
		pipeline.Retry(3, pipeline.Exponential(100*time.Millisecond, time.Second)),
		pipeline.Park(20, pipeline.Exponential(time.Minute, time.Hour)))

	pipeline.Sink(letters, "send", sinks.Func(send))
	return p
}

func write(_ context.Context, g Guest) (string, error) {
	if g.Name == "" {
		return "", filters.Rejectf("a guest at table %d has no name", g.Table)
	}
	return fmt.Sprintf("Dear %s, you sit at table %d.", g.Name, g.Table), nil
}

func send(_ context.Context, letter string) error {
	_, err := fmt.Fprintln(os.Stdout, letter)
	return err
}
