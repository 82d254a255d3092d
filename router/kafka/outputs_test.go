package kafka_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// A member learns of the topics that it will write to before anything comes, and of a
// topic that is not there without harm.
func TestOutputsAreLearnedAboutAhead(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*kafka.SubscriberConfig){
		"at least once": func(c *kafka.SubscriberConfig) { c.Transactions = nil },
		"exactly once":  func(*kafka.SubscriberConfig) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFlow(t)
			asked := make(chan string, 100)
			b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Observe: true, Count: -1, When: func(r kmsg.Request) bool {
				for _, res := range r.(*kmsg.DescribeConfigsRequest).Resources {
					asked <- res.ResourceName
				}
				return true
			}})
			cfg := exactly(b.Addrs())
			cfg.Outputs = []string{"out", "missing"}
			change(&cfg)
			m := join(t, cfg, copied(20))
			var got []string
			for !slices.Contains(got, "out") {
				select {
				case name := <-asked:
					got = append(got, name)
				case <-within(t).Done():
					t.Fatal("nobody asks")
				}
			}
			feed(t, b.Addrs(), 1, 100)
			until(t, func() bool { return len(brokertest.ReadCommitted(t, b.Addrs(), "out")) == 100 }, "not all came through")
			require.Empty(t, m.failures())
			for len(asked) > 0 {
				require.NotEqual(t, "out", <-asked, "it is asked about once")
			}
		})
	}
}
