package parking

// none is no slot, no queue and no place in a heap.
const none int32 = -1

// slab keeps values side by side and gives each a number that stays. It grows by
// chunks, so that growing copies nothing and the pointers of at stay valid.
type slab[T any] struct {
	chunks [][]T
	next   int32   // the first number that was never given
	free   []int32 // numbers that were given back
}

const chunkSize = 1024

func (s *slab[T]) at(i int32) *T { return &s.chunks[i/chunkSize][i%chunkSize] }

// add keeps v.
func (s *slab[T]) add(v T) int32 {
	i := s.next
	if n := len(s.free); n > 0 {
		i, s.free = s.free[n-1], s.free[:n-1]
	} else {
		s.next++
		if int(i/chunkSize) == len(s.chunks) {
			s.chunks = append(s.chunks, make([]T, chunkSize))
		}
	}
	*s.at(i) = v
	return i
}

// remove gives the number back, and forgets what is kept there.
func (s *slab[T]) remove(i int32) {
	var zero T
	*s.at(i) = zero
	s.free = append(s.free, i)
}

// live is how many values are kept.
func (s *slab[T]) live() int { return int(s.next) - len(s.free) }

// chunked tells whether it has grown beyond its first chunk.
func (s *slab[T]) chunked() bool { return len(s.chunks) > 1 }
