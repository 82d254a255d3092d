//go:build kafka

package kafkatest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

func TestBrokersAreThoseThatWereStarted(t *testing.T) {
	t.Parallel()
	client := newClient(t, kgo.SeedBrokers(Brokers(t)...))
	require.NoError(t, client.Ping(t.Context()))
}

func TestBrokersFailsTheTestWithoutKafka(t *testing.T) {
	for _, name := range []string{brokersVariable, clusterIDVariable, versionVariable} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "")
			failure := failureOf(t, func(failing *recorder) { Brokers(failing) })
			require.Contains(t, failure, name+" is not set")
			require.Contains(t, failure, "make test-kafka")
		})
	}
}

func TestBrokersFailsTheTestOnAnotherCluster(t *testing.T) {
	t.Setenv(clusterIDVariable, "another")
	require.Contains(t, failureOf(t, func(failing *recorder) { Brokers(failing) }), "not another")
}

func TestVerifyRefusesWhatIsNotTheWantedKafka(t *testing.T) {
	t.Parallel()
	brokers := Brokers(t)
	id, version := os.Getenv(clusterIDVariable), os.Getenv(versionVariable)
	for _, c := range []struct{ name, id, version, says string }{
		{"another cluster", "another", version, "cluster's id is " + id},
		{"an older release", id, "4.0.0", "metadata.version is"},
		{"a newer release", id, "4.4.0", "metadata.version is"},
		{"a version nobody knows", id, "four", `"four" is not a version`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := verify(t.Context(), brokers, identity{clusterID: c.id, version: c.version})
			require.ErrorContains(t, err, c.says)
		})
	}
}

// The embedded broker is refused even where it copies the id and the version.
func TestVerifyRefusesTheEmbeddedBroker(t *testing.T) {
	t.Parallel()
	want := identity{clusterID: "copied", version: os.Getenv(versionVariable)}
	embedded, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID(want.clusterID),
		kfake.MaxVersions(kversion.FromString(want.version)))
	require.NoError(t, err)
	defer embedded.Close()

	require.ErrorContains(t, verify(t.Context(), embedded.ListenAddrs(), want), "is not Apache Kafka")
}

// Not parallel: no other test of the package may run while Kafka is away.
func TestRestartCommandKeepsAddressAndData(t *testing.T) {
	brokers, topic := Brokers(t), Topic(t, 1)
	before := newClient(t, kgo.SeedBrokers(brokers...))
	require.NoError(t, before.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("kept")}).FirstErr())

	command := RestartCommand(t)
	output, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.Contains(t, string(output), "stopped")

	require.Equal(t, brokers, Brokers(t))
	after := newClient(t, kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic))
	fetches := after.PollFetches(t.Context())
	require.NoError(t, fetches.Err())
	require.Equal(t, "kept", string(fetches.Records()[0].Value))
}

func newClient(t *testing.T, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(options...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// failureOf returns what the test function fails with.
func failureOf(t *testing.T, test func(*recorder)) string {
	t.Helper()
	failing := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // a goroutine of its own, for Fatalf ends it
		defer close(done)
		test(failing)
	}()
	<-done
	return failing.failure
}

// recorder is a test that may fail without failing the real one.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
