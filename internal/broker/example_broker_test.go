package broker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/penstock/penstock/internal/broker"
)

// A program starts a broker on its data directory, or connects to the one that
// runs there already.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "data")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	config := broker.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}

	b, err := broker.Start(ctx, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = broker.Start(ctx, config) // as another program would
	if inUse, ok := errors.AsType[*broker.InUseError](err); ok {
		fmt.Println("it runs already:", inUse.Addrs[0] == b.Addrs()[0])
	}
	addrs, err := broker.Find(ctx, dir)
	fmt.Println("found:", addrs[0] == b.Addrs()[0], err)

	fmt.Println("closed:", b.Close())
	_, err = broker.Find(ctx, dir)
	fmt.Println("found:", errors.Is(err, broker.ErrNotRunning))
	// Output:
	// it runs already: true
	// found: true <nil>
	// closed: <nil>
	// found: true
}
