package router

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOneLongMessageMakesNoSlowFilter(t *testing.T) {
	t.Parallel()
	var p pace
	for range 100 {
		p.add(time.Microsecond)
	}
	p.add(time.Second) // the process was not on a processor
	require.False(t, p.slow())
	p.add(time.Microsecond)
	require.False(t, p.slow())
	for range 3 {
		p.add(time.Millisecond)
	}
	require.True(t, p.slow())
	for range 100 {
		p.add(time.Microsecond)
	}
	require.True(t, p.fast())
}
