package filters_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

func TestOutcomesAreWhatTheRouterReads(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err     error
		verdict pipeline.Verdict
		text    string
	}{
		"Skip":       {fmt.Errorf("too old: %w", filters.Skip), pipeline.Skipped, "too old: skip"},
		"Reject":     {filters.Reject(failed{}), pipeline.Rejected, "failed"},
		"Rejectf":    {filters.Rejectf("line %d: %w", 3, failed{}), pipeline.Rejected, "line 3: failed"},
		"RetryAfter": {filters.RetryAfter(time.Minute, failed{}), pipeline.Again, "failed (try again after 1m0s)"},
	} {
		verdict, _ := pipeline.Judge(test.err)
		require.Equal(t, test.verdict, verdict, name)
		require.EqualError(t, test.err, test.text)
		if name != "Skip" {
			require.ErrorIs(t, test.err, failed{})
		}
	}
	_, wait := pipeline.Judge(filters.RetryAfter(time.Minute, failed{}))
	require.Equal(t, time.Minute, wait)
	require.NoError(t, filters.Reject(nil))
	require.NoError(t, filters.RetryAfter(time.Minute, nil))
}
