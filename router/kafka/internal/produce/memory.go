package produce

import "sync"

// memory is what batches are encoded into. It is lent to a batch from its
// encoding until it is stored; so it grows with the batches in flight, not with
// the partitions, and what is not needed any more is collected.
//
// Who gives memory back vouches that nobody reads it any more. A batch that
// was not stored never does: its producer is fenced, and a sender may still
// have it.
type memory struct{ free sync.Pool } // of *buffer

type buffer struct{ b []byte }

// take returns an empty buffer with room for so many bytes.
func (m *memory) take(bytes int) *buffer {
	const least = 1 << 10
	mem, _ := m.free.Get().(*buffer)
	if mem == nil {
		mem = new(buffer)
	}
	if cap(mem.b) < bytes {
		size := least
		for size < bytes {
			size *= 2
		}
		mem.b = make([]byte, 0, size)
	}
	mem.b = mem.b[:0]
	return mem
}

func (m *memory) giveBack(mem *buffer) { m.free.Put(mem) }
