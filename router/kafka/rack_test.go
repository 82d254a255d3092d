package kafka_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
)

// The broker chooses the replica, by the rack that a Subscriber's fetches name.
func TestFetchesNameTheRack(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 1), brokertest.Topic("out", 1))
	racks := make(chan string, 1)
	b.Cluster().ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.Cluster().KeepControl()
		select {
		case racks <- r.(*kmsg.FetchRequest).Rack:
		default:
		}
		return nil, nil, false //nolint:nilnil // the broker answers it
	})
	cfg := quick(b.Addrs())
	cfg.Rack = "cellar"
	join(t, cfg, copied(1))
	select {
	case rack := <-racks:
		require.Equal(t, "cellar", rack)
	case <-within(t).Done():
		require.Fail(t, "nothing is fetched")
	}
}
