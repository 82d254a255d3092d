package router

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/kafka"
)

// However many outputs are laid into a slab, each has what it was given, and the
// slab grows as rarely as that allows: it doubles.
func TestSlabsKeepTheirOutputs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s slab
		for range rapid.IntRange(1, 3).Draw(t, "flushes") {
			var views, want [][]byte
			grown := 0
			for i := range rapid.IntRange(1, 80).Draw(t, "outputs") {
				headers, size := rapid.IntRange(1, 12).Draw(t, "headers"), rapid.IntRange(1, 200).Draw(t, "bytes")
				before := cap(s.headers)
				s.reserve(headers, size)
				if cap(s.headers) != before {
					require.GreaterOrEqual(t, cap(s.headers), 2*before)
					grown++
				}
				start := len(s.bytes)
				s.bytes = append(s.bytes, bytes.Repeat([]byte{byte(i)}, size)...)
				view := s.bytes[start:len(s.bytes):len(s.bytes)]
				s.headers = append(s.headers, slices.Repeat([]kafka.Header{{Value: view}}, headers)...)
				views, want = append(views, s.headers[len(s.headers)-1].Value), append(want, bytes.Clone(view))
			}
			require.Equal(t, want, views)
			require.LessOrEqual(t, grown, 10)
			s.reuse()
			require.Empty(t, s.headers)
			require.Empty(t, s.bytes)
			for _, h := range s.headers[:cap(s.headers)] {
				require.Nil(t, h.Value, "what is not needed is let go")
			}
		}
	})
}
