package cmd_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
)

func TestARunReadsFromItsRack(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	brokers := "--brokers=" + strings.Join(b.Addrs(), ",")
	var inRack atomic.Int32
	b.Cluster().ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.Cluster().KeepControl()
		if r.(*kmsg.FetchRequest).Rack == "cellar" {
			inRack.Add(1)
		}
		return nil, nil, false //nolint:nilnil // the broker answers it
	})
	p := program(orders(order{Customer: "ann", Total: 1}))
	ok(t, p, "topics", "apply", brokers)
	ok(t, p, "run", "--drain", "--rack", "cellar", brokers)
	require.Positive(t, inRack.Load())
}
