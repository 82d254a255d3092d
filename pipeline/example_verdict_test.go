package pipeline_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// What runs a filter asks Judge what is to become of the message.
func ExampleJudge() {
	busy := errors.New("busy")
	for _, err := range []error{
		nil,
		busy,
		fmt.Errorf("call the bank: %w", pipeline.RetryAfter(time.Minute, busy)),
		fmt.Errorf("read the order: %w", pipeline.Reject(busy)),
		fmt.Errorf("too old: %w", pipeline.ErrSkip),
	} {
		verdict, wait := pipeline.Judge(err)
		fmt.Println(verdict, wait >= 0, err)
	}
	// Output:
	// done false <nil>
	// again false busy
	// again true call the bank: busy (try again after 1m0s)
	// rejected false read the order: busy
	// skipped false too old: skip
}
