package kafka_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// A record that is stored between a read's look at the end of the log and its fetch is
// none of the read's, though the answer has it. The next read begins with it.
func TestReadsThatGoOnLeaveNothingOut(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("t", 1))
	brokertest.Produce(t, b.Addrs(), "t", brokertest.Record{Value: []byte("0")}, brokertest.Record{Value: []byte("1")})
	r, err := kafka.NewReader(t.Context(), kafka.Config{Brokers: b.Addrs()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	cluster := b.Cluster()
	cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.SleepControl(func() {
			brokertest.Produce(t, b.Addrs(), "t", brokertest.Record{Value: []byte("2")}, brokertest.Record{Value: []byte("3")})
		})
		return nil, nil, false //nolint:nilnil // the broker answers
	})
	var got []string
	read := func(from int64) (next int64) {
		t.Helper()
		next, err := r.Read(t.Context(), "t", 0, from, func(rec *kafka.Record) error {
			got = append(got, string(rec.Value))
			return nil
		})
		require.NoError(t, err)
		return next
	}
	next := read(0)
	require.Equal(t, []string{"0", "1"}, got, "those that were there at the call")
	require.EqualValues(t, 2, next)
	require.EqualValues(t, 4, read(next))
	require.Equal(t, []string{"0", "1", "2", "3"}, got)
}
