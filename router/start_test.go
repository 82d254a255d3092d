package router_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
)

// A process that starts while a broker goes away starts all the same.
func TestAStartOutlivesItsConnections(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error { return nil })
	g, err := p.Build()
	require.NoError(t, err)
	makeTopics(t, b.Addrs(), g)
	var broken atomic.Int32
	b.Cluster().ControlKey(int16(kmsg.DescribeConfigs), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.Cluster().KeepControl()
		if broken.Add(1) > 3 {
			return nil, nil, false //nolint:nilnil // the broker answers
		}
		return nil, errors.New("the connection breaks"), true
	})
	launch(t, b.Addrs(), g, quickly())
	require.Greater(t, broken.Load(), int32(3))
}
