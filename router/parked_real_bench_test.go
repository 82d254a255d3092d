//go:build kafka

package router_test

import (
	"testing"
	"time"

	"github.com/penstock/penstock/internal/kafkatest"
)

func BenchmarkRealTakeover(b *testing.B) {
	benchTakeover(b, kafkatest.Brokers(b), "takeover-"+time.Now().Format("150405"))
}

func BenchmarkRealBesideADelayedKey(b *testing.B) {
	benchDelayedKey(b, kafkatest.Brokers(b), "delayed-"+time.Now().Format("150405"))
}
