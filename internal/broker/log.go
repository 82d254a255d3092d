package broker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// clusterLog passes kfake's log on to slog, and finds in it the failures that
// kfake tells nowhere else.
type clusterLog struct {
	log          *slog.Logger
	writeFailure func(error) // called when something could not be written to the data directory

	mu   sync.Mutex
	errs []error
}

// Logf implements kfake.Logger. It is called on the goroutine that serves the
// requests, before a request that failed is answered.
func (l *clusterLog) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelNone:
	case kfake.LogLevelError:
		err := fmt.Errorf(format, args...)
		l.mu.Lock()
		l.errs = append(l.errs, err)
		l.mu.Unlock()
		l.log.Error("embedded broker", "error", err)
	case kfake.LogLevelWarn:
		if strings.HasPrefix(format, "persist ") {
			l.writeFailure(fmt.Errorf(format, args...))
			return
		}
		l.log.Warn("embedded broker", "warning", fmt.Sprintf(format, args...))
	default: // what kfake calls information helps only those who debug it
		if l.log.Enabled(context.Background(), slog.LevelDebug) {
			l.log.Debug("embedded broker", "event", fmt.Sprintf(format, args...))
		}
	}
}

// errors returns what kfake logged as errors.
func (l *clusterLog) errors() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]error(nil), l.errs...)
}
