package health_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/penstock/penstock/router/health"
)

// A program with no server of its own has one for what watches it.
func ExampleListen() {
	ctx := context.Background()
	server, err := health.Listen(ctx, "127.0.0.1:0", health.Handler(reported{}), slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+server.Addr().String()+"/healthz", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = answer.Body.Close()
	fmt.Println(answer.Status)
	fmt.Println(server.Close(ctx))
	// Output:
	// 200 OK
	// <nil>
}
