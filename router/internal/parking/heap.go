package parking

// queueHeap is a binary heap of queues, each of which knows its place in it, so
// that it can be moved or taken out from the middle.
type queueHeap struct {
	items []int32
	less  func(a, b int32) bool
	pos   func(q int32) *int32
}

// set puts q where it belongs by now, whether it is in the heap or not.
func (h *queueHeap) set(q int32) {
	p := h.pos(q)
	if *p == none {
		*p = int32(len(h.items))
		h.items = append(h.items, q)
	}
	if i := int(*p); !h.down(i) {
		h.up(i)
	}
}

// remove takes q out, if it is in the heap.
func (h *queueHeap) remove(q int32) {
	p := h.pos(q)
	if *p == none {
		return
	}
	i, last := int(*p), len(h.items)-1
	h.swap(i, last)
	h.items = h.items[:last]
	*p = none
	if i < last && !h.down(i) {
		h.up(i)
	}
}

func (h *queueHeap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(h.items[i], h.items[parent]) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *queueHeap) down(i int) (moved bool) {
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			return moved
		}
		if right := child + 1; right < len(h.items) && h.less(h.items[right], h.items[child]) {
			child = right
		}
		if !h.less(h.items[child], h.items[i]) {
			return moved
		}
		h.swap(i, child)
		i, moved = child, true
	}
}

func (h *queueHeap) swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.pos(h.items[i]), *h.pos(h.items[j]) = int32(i), int32(j)
}
