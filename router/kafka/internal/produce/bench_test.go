package produce_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// benchmarkOutputs are outputs as stages write them: 200 bytes, a key and one
// header, over four partitions.
func benchmarkOutputs(n int) []client.Output {
	value := []byte(strings.Repeat("The quick brown fox ", 10))
	name, id := []byte("ce_id"), []byte(fmt.Sprintf("%036d", 1))
	outs := make([]client.Output, n)
	for i := range outs {
		outs[i] = client.Output{
			Partition: int32(i*7) % 4, Key: []byte(fmt.Sprintf("key-%05d", i)), Value: value,
			Headers: []client.Header{{Key: name, Value: id}},
		}
	}
	return outs
}

// brokerProcess set to 1 makes the test binary a broker: figures of the
// producer are worth something only where the broker is another process.
const brokerProcess = "PENSTOCK_BENCHMARK_BROKER"

func runBroker() {
	dir, err := os.MkdirTemp("", "broker")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, topic), kfake.DataDir(dir))
	if err != nil {
		panic(err)
	}
	defer c.Close()
	fmt.Println(strings.Join(c.ListenAddrs(), ","))
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the benchmark ends
}

// startBroker returns the addresses of a broker in a process of its own.
func startBroker(b *testing.B) []string {
	b.Helper()
	cmd := exec.CommandContext(context.Background(), os.Args[0]) // itself
	cmd.Env = append(os.Environ(), brokerProcess+"=1", "GOGC=400")
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(b, err)
	return strings.Split(strings.TrimSpace(line), ",")
}

// BenchmarkProduce writes records, 512 a call, with up to 40 calls in flight.
func BenchmarkProduce(b *testing.B) {
	for _, codec := range []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionLZ4, sarama.CompressionZSTD} {
		b.Run(codec.String(), func(b *testing.B) { benchmark(b, 512, 40, codec) })
	}
}

// BenchmarkProduceOne writes a record at a time: each is a batch, a request and
// a round trip of its own.
func BenchmarkProduceOne(b *testing.B) { benchmark(b, 1, 1, sarama.CompressionNone) }

func benchmark(b *testing.B, slice, calls int, codec sarama.CompressionCodec) {
	b.Helper()
	inFlight := make(chan struct{}, slice*calls)
	p := newProducer(b, startBroker(b), produce.Config{
		Compression: codec,
		OnFence:     func(err error) { panic(err) },
		Done: func(r client.Result) {
			for range r.Outputs {
				<-inFlight
			}
		},
	})
	_, err := p.Prepare(context.Background(), topic)
	require.NoError(b, err)
	outs := benchmarkOutputs(slice)
	before := cpu()
	b.SetBytes(int64(len(outs[0].Value)))
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += slice {
		for range slice {
			inFlight <- struct{}{}
		}
		require.NoError(b, p.Enqueue(topic, outs))
	}
	require.NoError(b, p.Flush(context.Background()))
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N), "cpu-ns/record")
}

// cpu is the time that this process has spent computing.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
