package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/penstock/penstock/internal/chaos/wire"
)

// network is what lies between the workers and the brokers: to each broker leads a tap,
// and a proxy behind it that can be cut.
type network struct {
	traffic *wire.Traffic
	taps    []*wire.Tap
	proxies []*toxiproxy.Proxy
}

// connect makes the network. Where the run has no links there is none, and workers
// reach the brokers by themselves.
func connect(ctx context.Context, links []Link) (*network, error) {
	n := &network{traffic: wire.NewTraffic()}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	for i, link := range links {
		proxy := toxiproxy.NewProxy(server, fmt.Sprint("broker-", i+1), "127.0.0.1:0", link.Broker)
		if err := proxy.Start(); err != nil {
			return nil, errors.Join(fmt.Errorf("put a proxy before %s: %w", link.Broker, err), n.close())
		}
		n.proxies = append(n.proxies, proxy)
		tap, err := wire.Listen(ctx, link.Worker, proxy.Listen, n.traffic)
		if err != nil {
			return nil, errors.Join(err, n.close())
		}
		n.taps = append(n.taps, tap)
	}
	return n, nil
}

func (n *network) close() error {
	var err error
	for _, tap := range n.taps {
		err = errors.Join(err, tap.Close())
	}
	for _, proxy := range n.proxies {
		proxy.Stop()
	}
	return err
}

// activity is what a worker and the brokers talk about.
func (n *network) activity(worker string) wire.Activity { return n.traffic.Of(worker) }

// The ways in which connections fail.
const (
	reset     = "reset"      // all are closed
	refuse    = "refuse"     // all are closed, and new ones are too
	muteUp    = "mute up"    // what workers say is lost, and then all are closed
	muteDown  = "mute down"  // what brokers say is lost, and then all are closed
	breakUp   = "break up"   // closed after some more bytes, in a request most likely
	breakDown = "break down" // closed after some more bytes, in an answer most likely
)

var cuts = []string{reset, refuse, muteUp, muteDown, breakUp, breakDown}

// cut makes the connections to a broker fail, and returns how they are mended.
func (n *network) cut(broker int, how string, after int) (mend func() error, err error) {
	proxy := n.proxies[broker]
	direction := "downstream"
	if how == muteUp || how == breakUp {
		direction = "upstream"
	}
	switch how {
	case reset, refuse:
		proxy.Stop()
		if how == reset {
			return func() error { return nil }, proxy.Start()
		}
		return proxy.Start, nil
	case muteUp, muteDown:
		return n.poison(proxy, fmt.Sprintf(`{"type":"timeout","stream":%q,"attributes":{"timeout":0}}`, direction))
	default:
		return n.poison(proxy, fmt.Sprintf(`{"type":"limit_data","stream":%q,"attributes":{"bytes":%d}}`, direction, after))
	}
}

// poison adds a toxic, whose end is that of the connections.
func (n *network) poison(proxy *toxiproxy.Proxy, toxic string) (mend func() error, err error) {
	added, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
	if err != nil {
		return nil, fmt.Errorf("cut the connections to %s: %w", proxy.Upstream, err)
	}
	return func() error {
		err := proxy.Toxics.RemoveToxic(context.Background(), added.Name)
		proxy.Stop()
		return errors.Join(err, proxy.Start())
	}, nil
}

// Link is the way from the workers to a broker.
type Link struct {
	Worker string // the address that workers know, which the broker says is its own
	Broker string // the address that leads to it
}

func (l Link) validate() error {
	_, _, errWorker := net.SplitHostPort(l.Worker)
	_, _, errBroker := net.SplitHostPort(l.Broker)
	return errors.Join(errWorker, errBroker)
}
