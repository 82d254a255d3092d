package router

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/kafka"
)

// FuzzReadPosition holds what is read beside an offset to this, whoever committed it:
// it is written so that it reads the same and fits there, and so is what the owners
// that come after make of it.
func FuzzReadPosition(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", "[]", `{"v":2}`, `{"v":1,"scan":-1}`, `{"v":1,"v":2}`,
		`{"v":1,"scan":7,"crashes":{"open":true,"by":"a","ends":3,"until":9223372036854775807,"begun":5,"at":{"offset":4},"alone":[{"offset":3,"ends":1}]}}`,
		`{"v":1,"crashes":{"open":true,"at":{"topic":"00112233445566778899aabbccddeeff","offset":1}}}`,
		`{"v":1,"crashes":{"open":true,"ends":9223372036854775807}}`,
		`{"v":1,"crashes":{"open":true,"by":"` + strings.Repeat("<", 900) + `"}}`, // each is six bytes when it is written
		`{"v":1,"crashes":{"alone":[` + strings.Repeat(`{"offset":1},`, 310) + `{"offset":1}]}}`,
	} {
		f.Add(seed, int64(3))
	}
	f.Fuzz(func(t *testing.T, text string, start int64) {
		if len(text) > kafka.MaxMetadata || start < 0 {
			return // no broker has such a thing
		}
		at := readPosition(text)
		requireKept(t, at)
		for _, owner := range []string{"a", "b", "b", "c"} {
			at.Crashes = at.Crashes.taken(owner, start, crashLimits{before: 2, alone: 1})
			at.Crashes.At = &suspect{Topic: strings.Repeat("ab", 16), Offset: start}
			requireKept(t, at)
		}
		at.Crashes = at.Crashes.released(true, false, crashLimits{before: 2, alone: 1})
		requireKept(t, at)
	})
}

// requireKept commits a position, and reads it as who comes next does.
func requireKept(t *testing.T, at position) {
	t.Helper()
	text, err := json.Marshal(at)
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), kafka.MaxMetadata)
	again, err := json.Marshal(readPosition(string(text)))
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
}
