//go:build kafka

package kafkatest

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// The environment variables that `make test-kafka` sets.
const (
	brokersVariable   = "PENSTOCK_TEST_BROKERS"
	clusterIDVariable = "PENSTOCK_TEST_CLUSTER_ID"
	versionVariable   = "PENSTOCK_TEST_KAFKA_VERSION"
	restartVariable   = "PENSTOCK_TEST_RESTART_COMMAND"
)

// requestTimeout bounds every conversation with the broker.
const requestTimeout = 30 * time.Second

// Brokers returns the addresses of the Kafka that tests use, to be given to any
// client. It fails the test where there is no Kafka, or where what answers is
// not Apache Kafka of the version and the cluster id that were started for it.
func Brokers(t testing.TB) []string {
	t.Helper()
	brokers := strings.Split(variable(t, brokersVariable), ",")
	want := identity{
		clusterID: variable(t, clusterIDVariable),
		version:   variable(t, versionVariable),
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	if err := verify(ctx, brokers, want); err != nil {
		t.Fatalf("tests need the Kafka that was started for them: %v", err)
	}
	return brokers
}

// RestartCommand returns the command, with its arguments, that restarts the
// Kafka that tests use: same address, same data. It fails the test where there
// is none. A test that runs it must not be parallel to others of its package.
func RestartCommand(t testing.TB) []string {
	t.Helper()
	return strings.Fields(variable(t, restartVariable))
}

func variable(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: run the tests with `make test-kafka`", name)
	}
	return value
}
