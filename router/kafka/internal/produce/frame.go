package produce

import (
	"cmp"
	"encoding/binary"
	"net"
	"slices"
	"strings"
)

const (
	produceKey = 0

	// produceVersion is taken by every broker since 2.4. What later ones add
	// is not used here: tagged fields, hints to a new leader, and partitions
	// that join a transaction by being written to.
	produceVersion = 8

	allReplicas = -1
)

// frame is a produce request as it is sent. The batches are sent from where
// they are; its memory is used again for the next.
type frame struct {
	clientID        string
	transactionalID string // "": none
	timeout         int32  // of the replicas, in milliseconds

	head  []byte      // all but the batches
	ends  []int       // of the head's pieces: where the batches belong
	parts net.Buffers // pieces of head and batches, in turn
	rest  net.Buffers // of parts: what is still to be written
}

// byPlace sorts flights as a request has them.
func byPlace(a, b flight) int {
	return cmp.Or(strings.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
}

// fill makes the request of the flights, which it sorts.
func (r *frame) fill(correlation int32, flights []flight) *net.Buffers {
	slices.SortFunc(flights, byPlace)
	r.head = r.begin(r.head[:0], correlation)
	r.head = binary.BigEndian.AppendUint32(r.head, uint32(topics(flights)))
	r.ends = r.ends[:0]
	size := 0
	for i := range flights {
		f := &flights[i]
		if i == 0 || f.topic != flights[i-1].topic {
			r.head = appendString(r.head, f.topic)
			r.head = binary.BigEndian.AppendUint32(r.head, uint32(sameTopic(flights[i:])))
		}
		r.head = binary.BigEndian.AppendUint32(r.head, uint32(f.partition))
		r.head = binary.BigEndian.AppendUint32(r.head, uint32(len(f.batch)))
		r.ends = append(r.ends, len(r.head))
		size += len(f.batch)
	}
	binary.BigEndian.PutUint32(r.head, uint32(len(r.head)+size-4))
	r.join(flights)
	return &r.rest
}

// begin appends what stands before the topics. The size, the first four bytes,
// is known later.
func (r *frame) begin(b []byte, correlation int32) []byte {
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint16(b, produceKey)
	b = binary.BigEndian.AppendUint16(b, produceVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = appendString(b, r.clientID)
	if r.transactionalID == "" {
		b = append(b, 0xff, 0xff) // null
	} else {
		b = appendString(b, r.transactionalID)
	}
	acks := int16(allReplicas)
	b = binary.BigEndian.AppendUint16(b, uint16(acks))
	return binary.BigEndian.AppendUint32(b, uint32(r.timeout))
}

// join lists the pieces, now that the head stays where it is.
func (r *frame) join(flights []flight) {
	r.parts = r.parts[:0]
	from := 0
	for i, end := range r.ends {
		r.parts = append(r.parts, r.head[from:end], flights[i].batch)
		from = end
	}
	r.rest = r.parts
}

// forget lets go of the batches.
func (r *frame) forget() {
	clear(r.parts)
	r.rest = nil
}

func appendString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

// topics counts those of sorted flights.
func topics(flights []flight) (n int) {
	for len(flights) > 0 {
		flights = flights[sameTopic(flights):]
		n++
	}
	return n
}

// sameTopic is how many of sorted flights have the topic of the first.
func sameTopic(flights []flight) int {
	n := 1
	for n < len(flights) && flights[n].topic == flights[0].topic {
		n++
	}
	return n
}
