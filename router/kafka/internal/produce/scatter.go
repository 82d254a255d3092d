package produce

import (
	"fmt"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// scatter sorts outputs by partition without moving them: it chains those of
// one partition, in order. So Enqueue costs the same for one partition or a
// thousand, and locks each touched queue once.
type scatter struct {
	touched []int32 // the partitions that occur
	chains  []chain // at the partition's number
	links   []link  // of each output
}

// link leads from an output to the next one of the same partition.
type link struct {
	next int32
	size int // of the output
}

type chain struct {
	first, last int32
	count       int32 // 0: the partition does not occur
	bytes       int
}

// sort checks and chains the outputs. With an error none of them may be taken.
func (s *scatter) sort(t *topic, outs []client.Output) error {
	if len(s.chains) < len(t.partitions) {
		s.chains = make([]chain, len(t.partitions))
	}
	if len(s.links) < len(outs) {
		s.links = make([]link, max(len(outs), 2*len(s.links)))
	}
	info := t.info()
	for i := range outs {
		out := &outs[i]
		if out.Partition < 0 || int(out.Partition) >= info.Partitions {
			return fmt.Errorf("topic %s has no partition %d: it was prepared with %d", t.name, out.Partition, info.Partitions)
		}
		size := out.Size()
		if size+client.BatchOverhead > info.MaxBytes && !info.Takes(out) { // the estimate is an upper bound
			return &client.TooLargeError{Topic: t.name, Size: out.BatchSize(), Limit: info.MaxBytes}
		}
		c := &s.chains[out.Partition]
		if c.count == 0 {
			s.touched = append(s.touched, out.Partition)
			c.first = int32(i)
		} else {
			s.links[c.last].next = int32(i)
		}
		s.links[i].size = size
		c.last = int32(i)
		c.count++
		c.bytes += size
	}
	return nil
}

// reset makes the scatter ready for the next use.
func (s *scatter) reset() {
	for _, id := range s.touched {
		s.chains[id] = chain{}
	}
	s.touched = s.touched[:0]
}
