package pipeline_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/pipeline"
)

// The marks of an error are found however they are wrapped and joined, and the
// strongest wins.
func TestJudgeFindsTheStrongestMark(t *testing.T) {
	t.Parallel()
	const wait = 3 * time.Second
	rapid.Check(t, func(t *rapid.T) {
		var rejected, skipped, after bool
		var draw func(depth int) error
		draw = func(depth int) error {
			kind := rapid.SampledFrom([]string{"plain", "skip", "wrap", "join", "reject", "after"}).Draw(t, "kind")
			if depth == 0 && kind != "skip" {
				kind = "plain"
			}
			switch kind {
			case "skip":
				skipped = true
				return pipeline.ErrSkip
			case "wrap":
				return fmt.Errorf("wrapped: %w", draw(depth-1))
			case "join":
				return errors.Join(draw(depth-1), draw(depth-1))
			case "reject":
				rejected = true
				return pipeline.Reject(draw(depth - 1))
			case "after":
				after = true
				return pipeline.RetryAfter(wait, draw(depth-1))
			default:
				return errors.New("plain")
			}
		}
		verdict, got := pipeline.Judge(draw(5))
		switch {
		case rejected:
			require.Equal(t, pipeline.Rejected, verdict)
		case skipped:
			require.Equal(t, pipeline.Skipped, verdict)
		default:
			require.Equal(t, pipeline.Again, verdict)
		}
		if verdict == pipeline.Again && after {
			require.Equal(t, wait, got)
		} else {
			require.Negative(t, got)
		}
	})
}

func TestJudgeOfNothing(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, pipeline.Reject(nil), pipeline.RetryAfter(time.Second, nil)} {
		verdict, wait := pipeline.Judge(err)
		require.Equal(t, pipeline.Done, verdict)
		require.Negative(t, wait)
	}
}

func TestMarksKeepTheErrorAndItsText(t *testing.T) {
	t.Parallel()
	cause := errors.New("no stock")
	require.EqualError(t, pipeline.Reject(cause), "no stock")
	require.ErrorIs(t, pipeline.Reject(cause), cause)
	require.EqualError(t, pipeline.RetryAfter(time.Second, cause), "no stock (try again after 1s)")
	require.ErrorIs(t, pipeline.RetryAfter(time.Second, cause), cause)

	_, wait := pipeline.Judge(pipeline.RetryAfter(-time.Second, cause))
	require.Zero(t, wait, "a wait below 0 is none, and is not left to the backoff")
}

func TestVerdictsHaveNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "done skipped again rejected Verdict(9)",
		fmt.Sprint(pipeline.Done, " ", pipeline.Skipped, " ", pipeline.Again, " ", pipeline.Rejected, " ", pipeline.Verdict(9)))
}
