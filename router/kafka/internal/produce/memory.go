package produce

import (
	"math/bits"
	"sync"
)

// memory lends batches from their first output until they are stored; so it
// grows with what is queued and in flight, not with the partitions, and what is
// not needed any more is collected. Batches are kept by size: a small one never
// holds the memory of a large one.
//
// Who gives a batch back vouches that nobody reads it any more. One that was
// not stored never is: its producer is fenced, and a sender may still have it.
type memory struct{ free [classes]sync.Pool } // of *batch, with room for smallest<<class bytes at least

const (
	smallestBits = 10 // what a batch takes at least: 1 KiB
	classes      = 20 // up to 512 MiB
)

// take returns an empty batch with room for so many bytes.
func (m *memory) take(bytes int) *batch {
	class := max(bits.Len(uint(max(bytes, 1)-1)), smallestBits) - smallestBits
	if class < classes {
		if b, _ := m.free[class].Get().(*batch); b != nil {
			return b
		}
	}
	return &batch{bytes: make([]byte, 0, 1<<(class+smallestBits))}
}

// giveBack takes a batch that nobody reads any more.
func (m *memory) giveBack(b *batch) {
	b.reset()
	class := bits.Len(uint(cap(b.bytes))) - 1 - smallestBits
	if 0 <= class && class < classes {
		m.free[class].Put(b)
	}
}

// widen returns the batch with room for so many bytes more.
func (m *memory) widen(b *batch, bytes int) *batch {
	if cap(b.bytes)-len(b.bytes) >= bytes {
		return b
	}
	wide := m.take(len(b.bytes) + bytes)
	wide.bytes = append(wide.bytes, b.bytes...)
	wide.tickets = append(wide.tickets, b.tickets...)
	wide.size, wide.first, wide.last, wide.began = b.size, b.first, b.last, b.began
	m.giveBack(b)
	return wide
}
