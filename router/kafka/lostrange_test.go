package kafka_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// What was removed before it was read is lost: that is said again and again,
// and nothing behind it is read, until somebody decides.
func TestALostRangeIsLoud(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	m := join(t, quick(b.Addrs()), copied(20))
	feed(t, b.Addrs(), 1, 20)
	caughtUp(t, b)
	m.leave()
	feed(t, b.Addrs(), 1, 20)
	require.NoError(t, b.Cluster().DeleteRecords("in", 0, 30))

	var log syncBuffer
	cfg := quick(b.Addrs())
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	m = join(t, cfg, copied(20))
	until(t, func() bool { return len(m.failures()) > 1 }, "it does not say so")
	for _, err := range m.failures() {
		var lost *kafka.LostRangeError
		require.ErrorAs(t, err, &lost)
		require.Equal(t, kafka.LostRangeError{Topic: "in", Partition: 0}, *lost)
	}
	require.Contains(t, log.String(), "level=ERROR")
	require.Contains(t, log.String(), "records were removed before they were read")
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "out"), 20, "nothing behind the gap is read")
	require.EqualValues(t, 20, committed(b)[0])
}

// Somebody decides: the rest is read, and what was skipped is told.
func TestALostRangeIsSkippedWhereThatIsChosen(t *testing.T) {
	t.Parallel()
	for choice, want := range map[kafka.LostRange]int{kafka.OldestOnLostRange: 20 + 10 + 5, kafka.NewestOnLostRange: 20 + 5} {
		t.Run(string(choice), func(t *testing.T) {
			t.Parallel()
			b := oneToOne(t)
			m := join(t, quick(b.Addrs()), copied(20))
			feed(t, b.Addrs(), 1, 20)
			caughtUp(t, b)
			m.leave()
			feed(t, b.Addrs(), 1, 20)
			require.NoError(t, b.Cluster().DeleteRecords("in", 0, 30))

			var log syncBuffer
			cfg := quick(b.Addrs())
			cfg.LostRange = choice
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			m = join(t, cfg, copied(20))
			until(t, func() bool { return strings.Contains(log.String(), "behind the gap") }, "it skips the gap")
			require.Contains(t, log.String(), "from=20")
			feed(t, b.Addrs(), 1, 5)
			caughtUp(t, b)
			require.Len(t, brokertest.ReadAll(t, b.Addrs(), "out"), want)
			require.Empty(t, m.failures())
		})
	}
}

// A topic that is deleted and made anew has other records at old offsets.
func TestATopicMadeAnewIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	m := join(t, quick(b.Addrs()), copied(20))
	feed(t, b.Addrs(), 1, 20)
	caughtUp(t, b)
	m.leave()
	require.NoError(t, b.Cluster().DeleteTopic("in"))
	brokertest.CreateTopic(t, b.Addrs(), "in", 1)
	feed(t, b.Addrs(), 1, 30)
	ids := make(chan [16]byte, 100)
	join(t, quick(b.Addrs()), func(b *kafka.Batch, out *kafka.Outbox) error {
		ids <- b.Claim.TopicID()
		return copied(20)(b, out)
	})
	caughtUp(t, b)
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "out"), 50)
	info := b.Cluster().TopicInfo("in")
	require.Equal(t, info.TopicID, <-ids)
}
