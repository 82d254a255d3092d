package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// host is the only interface that the embedded broker listens on: it asks
// nobody who they are.
const host = "127.0.0.1"

// listen opens a listener for each broker: on the port that is asked for, else
// on the one of the last run, else on any free one.
func listen(ctx context.Context, config Config, last []int) ([]net.Listener, error) {
	var listeners []net.Listener
	for i := range config.Brokers {
		l, err := listenOne(ctx, config.Port, last, i)
		if err != nil {
			closeAll(listeners)
			return nil, err
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func listenOne(ctx context.Context, asked int, last []int, i int) (net.Listener, error) {
	if i == 0 && asked != 0 {
		l, err := listenOn(ctx, asked)
		if err != nil {
			return nil, fmt.Errorf("listen on port %d, which may be taken by another program: %w", asked, err)
		}
		return l, nil
	}
	if i < len(last) && last[i] > 0 && last[i] <= maxPort {
		if l, err := listenOn(ctx, last[i]); err == nil {
			return l, nil
		}
	}
	l, err := listenOn(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("listen on a free port: %w", err)
	}
	return l, nil
}

func listenOn(ctx context.Context, port int) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

// closeAll closes listeners that were of no use. Some may be closed already.
func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// addresses returns where the listeners listen, as text and as ports.
func addresses(listeners []net.Listener) (addrs []string, ports []int) {
	for _, l := range listeners {
		addrs = append(addrs, l.Addr().String())
		port := 0 // any, when it is not known
		if addr, ok := l.Addr().(*net.TCPAddr); ok {
			port = addr.Port
		}
		ports = append(ports, port)
	}
	return addrs, ports
}

// handOut returns a function that hands out the listeners, one a call.
func handOut(guards []*guard) func(string, string) (net.Listener, error) {
	return func(string, string) (net.Listener, error) {
		if len(guards) == 0 {
			return nil, errors.New("there is no further listener")
		}
		g := guards[0]
		guards = guards[1:]
		return g, nil
	}
}
