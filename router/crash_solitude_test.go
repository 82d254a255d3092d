package router

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/kafka"
)

// While one is alone at work no other is, whoever comes when.
func TestWhoIsAloneIsAlone(t *testing.T) {
	t.Parallel()
	const workers, rounds, yields = 8, 100, 10
	var all activities
	s := newSolitude(all.busy)
	s.wary.Store(1)
	var working, lonely, most atomic.Int32
	var wg sync.WaitGroup
	for n := range workers {
		at := &activity{}
		all.add(at, t.Context())
		wg.Go(func() {
			r := &kafka.Record{}
			for i := range rounds {
				at.begin(r, clock())
				if alone := (i+n)%5 == 0; alone {
					leave, ok := s.enter(t.Context(), at, nil)
					if !ok {
						t.Error("nobody has stopped it")
						return
					}
					at.begin(r, clock())
					lonely.Add(1)
					for range yields { // others would come in between
						runtime.Gosched()
						most.Store(max(most.Load(), working.Load()+lonely.Load()))
					}
					lonely.Add(-1)
					at.rest()
					leave()
					leave() // is no more than once
					continue
				}
				if !s.pass(at, nil) {
					t.Error("nobody has stopped it")
					return
				}
				working.Add(1)
				for range yields {
					runtime.Gosched()
				}
				working.Add(-1)
				at.rest()
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, most.Load())
}

// Who waits can be stopped, and one that does not come back keeps nobody waiting when
// its claim is over.
func TestWaitingForSolitudeEnds(t *testing.T) {
	t.Parallel()
	var all activities
	s := newSolitude(all.busy)
	stopped := make(chan struct{})
	close(stopped)
	claim, end := context.WithCancel(t.Context())
	one, other := &activity{}, &activity{}
	all.add(one, t.Context())
	all.add(other, t.Context())

	one.begin(&kafka.Record{}, clock())
	_, ok := s.enter(claim, other, stopped)
	require.False(t, ok, "another is at work")
	require.True(t, s.pass(one, stopped), "the doors are open again")
	one.rest()

	leave, ok := s.enter(claim, one, nil)
	require.True(t, ok)
	other.begin(&kafka.Record{}, clock())
	require.False(t, s.pass(other, stopped))
	_, ok = s.enter(claim, other, stopped)
	require.False(t, ok)
	passed := make(chan bool)
	go func() { passed <- s.pass(other, nil) }()
	end()
	select {
	case ok := <-passed:
		require.True(t, ok)
	case <-time.After(waitForSolitude):
		require.Fail(t, "the doors stay closed")
	}
	leave()
}

const waitForSolitude = 30 * time.Second
