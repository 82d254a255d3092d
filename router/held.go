package router

import (
	"container/heap"
	"time"
)

// heldKey is a key that waits, with its messages in order.
type heldKey struct {
	key   string
	keyed bool
	items []laneItem
	due   time.Time
}

// heldKeys are held keys by their time.
type heldKeys struct{ byTime heldHeap }

func (k *heldKeys) push(h *heldKey) { heap.Push(&k.byTime, h) }

// first is the one whose time comes first, or nil.
func (k *heldKeys) first() *heldKey {
	if len(k.byTime) == 0 {
		return nil
	}
	return k.byTime[0]
}

// pop takes the first one, or returns nil.
func (k *heldKeys) pop() *heldKey {
	if len(k.byTime) == 0 {
		return nil
	}
	return heap.Pop(&k.byTime).(*heldKey) //nolint:forcetypeassert // nothing else is in it
}

// heldHeap implements heap.Interface.
type heldHeap []*heldKey

// Len implements heap.Interface.
func (d *heldHeap) Len() int { return len(*d) }

// Less implements heap.Interface.
func (d *heldHeap) Less(i, j int) bool { return (*d)[i].due.Before((*d)[j].due) }

// Swap implements heap.Interface.
func (d *heldHeap) Swap(i, j int) { (*d)[i], (*d)[j] = (*d)[j], (*d)[i] }

// Push implements heap.Interface.
func (d *heldHeap) Push(x any) { *d = append(*d, x.(*heldKey)) } //nolint:forcetypeassert // nothing else is pushed

// Pop implements heap.Interface.
func (d *heldHeap) Pop() any {
	last := len(*d) - 1
	h := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	return h
}
