package pipeline_test

import (
	"fmt"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// The wait doubles up to a bound.
func ExampleExponential() {
	b := pipeline.Exponential(100*time.Millisecond, time.Second)
	for failed := 1; failed <= 5; failed++ {
		fmt.Print(b.Delay(failed), " ")
	}
	fmt.Println("is", b)
	// Output: 100ms 200ms 400ms 800ms 1s is 100ms to 1s
}
