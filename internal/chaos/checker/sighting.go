package checker

import (
	"fmt"
	"hash/fnv"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// Sighting is a record that a reader saw while the run went on.
type Sighting struct {
	Partition int32
	Offset    int64
	Sum       uint64 // of its bytes, by Sum
}

// Sum is a sum over all bytes of a record, its headers as topics.Headers has them.
func Sum(key, value, headers string) uint64 {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%d %s %d %s %s", len(key), key, len(value), value, headers)
	return sum.Sum64()
}

// Compare tests that a reader who was there all the time saw what stands in the topic
// at the end, each record once, and nothing else.
func Compare(topic string, seen []Sighting, stored []Record) []Finding {
	c := newCheck(topic)
	next := 0
	for i := range stored {
		r := &stored[i]
		for ; next < len(seen) && before(seen[next], r); next++ {
			c.foundf(Unaccounted, flow.Message{}, &Record{Topic: topic, Partition: seen[next].Partition, Offset: seen[next].Offset},
				"it was seen while the run went on, and is not there at the end, or was seen twice")
		}
		switch m, _ := flow.Parse([]byte(r.Value)); {
		case next == len(seen) || before(Sighting{Partition: r.Partition, Offset: r.Offset}, &Record{Partition: seen[next].Partition, Offset: seen[next].Offset}):
			c.foundf(Lost, m, r, "who read the topic while the run went on did not see it")
		case seen[next].Sum != Sum(r.Key, r.Value, r.Headers):
			c.foundf(Unaccounted, m, r, "it was another record while the run went on")
			next++
		default:
			next++
		}
	}
	for ; next < len(seen); next++ {
		c.foundf(Unaccounted, flow.Message{}, &Record{Topic: topic, Partition: seen[next].Partition, Offset: seen[next].Offset},
			"it was seen while the run went on, and is not there at the end, or was seen twice")
	}
	return c.findings
}

// before tells whether the sighting lies before the record.
func before(s Sighting, r *Record) bool {
	return s.Partition < r.Partition || s.Partition == r.Partition && s.Offset < r.Offset
}
