package topics

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// patience is how long the answer may take that the cluster is not ready: a partition
// or a group that has lost its broker gets another.
const patience = time.Minute

// patiently asks until there is an answer other than that.
func patiently[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	for deadline := time.Now().Add(patience); ; {
		answer, err := ask()
		var code *kerr.Error
		if !errors.As(err, &code) || !code.Retriable || time.Now().After(deadline) {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, errors.Join(context.Cause(ctx), err)
		case <-time.After(awaitPoll):
		}
	}
}
