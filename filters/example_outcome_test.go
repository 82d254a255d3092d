package filters_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

var errBusy = errors.New("the service is busy")

// check says in its error what is to become of the message.
func check(_ context.Context, amount int) (int, error) {
	switch {
	case amount == 0:
		return 0, fmt.Errorf("nothing to pay: %w", filters.Skip)
	case amount < 0:
		return 0, filters.Rejectf("amount %d is below 0", amount)
	case amount > 1000:
		return 0, filters.RetryAfter(time.Minute, errBusy)
	}
	return amount, nil
}

// What becomes of a message is told by the error.
func ExampleReject() {
	for _, amount := range []int{5, 0, -5, 5000} {
		_, err := pipeline.Apply(context.Background(), filters.Map(check), amount)
		verdict, _ := pipeline.Judge(err)
		fmt.Printf("%s: %v\n", verdict, err)
	}
	// Output:
	// done: <nil>
	// skipped: nothing to pay: skip
	// rejected: amount -5 is below 0
	// again: the service is busy (try again after 1m0s)
}
