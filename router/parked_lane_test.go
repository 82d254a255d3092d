package router_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// A parked message runs behind what its lane has settled of its key and not sent
// yet: in the same lane, and nowhere else.
func TestAParkedMessageRunsInTheLaneOfItsKey(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var mu sync.Mutex
	tried := map[string]int{}
	again := map[string]chan struct{}{} // closed with the second attempt of the round's last message
	const rounds = 16
	for i := range rounds {
		again[strconv.Itoa(i)] = make(chan struct{})
	}
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		busy(slow) // so that the lanes are in use
		round, what, _ := strings.Cut(string(m.Body), " ")
		switch what {
		case "fails":
			mu.Lock()
			defer mu.Unlock()
			tried[round]++
			if tried[round] == 1 {
				return errBoom
			}
			close(again[round])
		case "blocks": // in half of the rounds it is in the lane of the key
			select {
			case <-again[round]:
			case <-time.After(100 * time.Millisecond):
			}
		}
		return nil
	}, pipeline.Lanes(2), pipeline.Retry(1, pipeline.Constant(0)), pipeline.Park(10, pipeline.Constant(0)))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", prefixed("warm-up", 1, 20)...)
	r.drained()
	var want []string
	for i := range rounds {
		records := []brokertest.Record{}
		for _, what := range []string{"first", "second", "fails"} {
			records = append(records, brokertest.Record{Key: []byte("key"), Value: fmt.Appendf(nil, "%d %s", i, what)})
			want = append(want, fmt.Sprintf("%d %s", i, what))
		}
		records = append(records, brokertest.Record{Key: fmt.Appendf(nil, "other-%d", i), Value: fmt.Appendf(nil, "%d blocks", i)})
		before := r.Stats()[0].Out
		brokertest.Produce(t, addrs, "laned.in", records...)
		require.Eventually(t, func() bool { return r.Stats()[0].Out == before+4 }, waitFor, tick)
	}
	r.drained()
	var got []string
	for _, rec := range brokertest.ReadAll(t, addrs, "laned.work") {
		if string(rec.Key) == "key" {
			got = append(got, string(rec.Value))
		}
	}
	require.Equal(t, want, got)
}
