package parking_test

import (
	"fmt"
	"time"

	"github.com/penstock/penstock/router/internal/parking"
)

// Two messages of a key are parked: the first has failed, the second queues up
// behind it. When the time of the first has come both may run.
func ExampleIndex() {
	topic := [16]byte{1}
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	ix := parking.New(parking.Config{})
	ix.Apply(&parking.Take{}, 0) // in the log at offset 0: the epoch

	key := []byte("customer")
	for i := range int64(2) {
		ix.Expect(key)
		ix.Apply(&parking.Park{
			Entry: parking.Entry{Topic: topic, Offset: 100 + i}, Rank: -1, Prev: -1,
			NotBefore: now.Add(time.Minute), Message: parking.Message{Key: key},
		}, 1+i)
	}
	_, ok := ix.Take(now, 16)
	fmt.Println("due now:", ok)

	run, _ := ix.Take(now.Add(time.Minute), 16)
	done := &parking.Done{Outcome: parking.Succeeded}
	for _, it := range run.Items {
		fmt.Println("run", it.Entry.Offset)
		done.Entries = append(done.Entries, it.Entry)
	}
	ix.Apply(done, 4) // once it is confirmed
	fmt.Println("parked:", ix.IsParked(key))
	ix.Ran(run)
	fmt.Println("parked:", ix.IsParked(key))
	// Output:
	// due now: false
	// run 100
	// run 101
	// parked: true
	// parked: false
}
