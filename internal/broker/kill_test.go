package broker_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
)

// childDir is the environment variable that makes the test binary a process
// that runs a broker on the directory it names.
const childDir = "PENSTOCK_TEST_BROKER_DIR"

// runChild runs a broker until its standard input ends, as it does when the
// test dies, or until it is killed.
func runChild(dir string) int {
	b, err := broker.Start(context.Background(), broker.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready", strings.Join(b.Addrs(), ","))
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := b.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// child is a broker in a process of its own.
type child struct {
	addrs   []string
	command *exec.Cmd
	input   io.Closer
}

func startChild(t testing.TB, dir string) *child {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+dir, "GORACE=atexit_sleep_ms=0")
	input, err := command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	addrs, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	require.True(t, ready, "the child says: %s", line)
	c := &child{addrs: strings.Split(addrs, ","), command: command, input: input}
	t.Cleanup(c.kill)
	return c
}

// kill ends the child by SIGKILL and waits until it is gone.
func (c *child) kill() {
	if c.command.ProcessState == nil {
		_ = c.command.Process.Kill()
		_ = c.command.Wait()
	}
}

// end lets the child close its broker, and waits until it is gone.
func (c *child) end(t testing.TB) {
	t.Helper()
	require.NoError(t, c.input.Close())
	require.NoError(t, c.command.Wait())
}

// place is where a record is.
type place struct {
	partition int32
	offset    int64
}

// load produces as fast as it can and commits offsets, and keeps what was
// acknowledged.
type load struct {
	mu        sync.Mutex
	stored    map[place]uint64 // the number of the record that was acknowledged there
	committed int64
	next      uint64
}

const loadPartitions = 4

// sealed returns a value that holds the number and tells when it is torn.
func sealed(number uint64) []byte {
	value := make([]byte, 8+4, 8+4+200)
	binary.BigEndian.PutUint64(value, number)
	value = append(value, strings.Repeat("x", int(number%200))...)
	binary.BigEndian.PutUint32(value[8:], crc32.ChecksumIEEE(value[12:])+uint32(number))
	return value
}

func unseal(t testing.TB, value []byte) uint64 {
	t.Helper()
	require.GreaterOrEqual(t, len(value), 12)
	number := binary.BigEndian.Uint64(value)
	require.Equal(t, sealed(number), value, "the record is torn")
	return number
}

// runUntil puts load on the broker until enough more records are acknowledged,
// then calls kill, in the middle of it, and waits for what is under way to end.
func (l *load) runUntil(t testing.TB, addrs []string, enough int, kill func()) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), topicsByName, kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.MaxBufferedRecords(2000), kgo.ProducerBatchMaxBytes(20_000))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	var tasks sync.WaitGroup
	tasks.Go(func() { l.commit(ctx, client) })
	tasks.Go(func() { l.produce(ctx, client) })
	target := l.acknowledged() + enough
	require.Eventually(t, func() bool { return l.acknowledged() >= target }, 30*time.Second, time.Millisecond)
	kill()
	cancel()
	client.Close() // fails what is still under way
	tasks.Wait()
}

func (l *load) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.stored)
}

func (l *load) produce(ctx context.Context, client *kgo.Client) {
	for ctx.Err() == nil {
		l.next++
		number := l.next
		record := &kgo.Record{Topic: "a", Partition: int32(number % loadPartitions), Value: sealed(number)}
		client.Produce(ctx, record, func(r *kgo.Record, err error) {
			if err == nil {
				l.mu.Lock()
				l.stored[place{r.Partition, r.Offset}] = number
				l.mu.Unlock()
			}
		})
	}
}

func (l *load) commit(ctx context.Context, client *kgo.Client) {
	for offset := l.committed + 1; commitOffset(ctx, client, offset) == nil; offset++ {
		l.committed = offset
	}
}

// topicsByName keeps a client to requests that name topics by their names.
var topicsByName = kgo.MaxVersions(kversion.V3_6_0())

// commitOffset commits an offset of partition 0 of topic a for the group g,
// which has no members.
func commitOffset(ctx context.Context, client *kgo.Client, offset int64) error {
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Offset = offset
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic = "a"
	topic.Partitions = append(topic.Partitions, p)
	request := kmsg.NewPtrOffsetCommitRequest()
	request.Group = "g"
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode)
}

// committedOffset returns what commitOffset committed last.
func committedOffset(t testing.TB, addrs []string) int64 {
	t.Helper()
	offsets, err := newAdmin(t, addrs).ListConsumerGroupOffsets("g", map[string][]int32{"a": {0}})
	require.NoError(t, err)
	return offsets.GetBlock("a", 0).Offset
}

func TestAKillLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := load{stored: make(map[place]uint64)}
	var addrs []string
	for round := range 3 {
		c := startChild(t, dir)
		if round == 0 {
			brokertest.CreateTopic(t, c.addrs, "a", loadPartitions, "max.message.bytes=30000")
			addrs = c.addrs
		}
		require.Equal(t, addrs, c.addrs, "a killed broker comes back on its port")
		l.runUntil(t, c.addrs, 5000, c.kill)
	}

	b := start(t, broker.Config{Dir: dir})
	require.Equal(t, addrs, b.Addrs())
	read := make(map[place]uint64)
	last := make(map[int32]uint64)
	for _, r := range brokertest.ReadAll(t, b.Addrs(), "a") {
		number := unseal(t, r.Value)
		require.Greater(t, number, last[r.Partition], "partition %d is out of order at offset %d", r.Partition, r.Offset)
		last[r.Partition] = number
		read[place{r.Partition, r.Offset}] = number
	}
	for at, number := range l.stored {
		require.Equal(t, number, read[at], "what was acknowledged at offset %d of partition %d", at.offset, at.partition)
	}
	require.Positive(t, l.committed)
	require.GreaterOrEqual(t, committedOffset(t, b.Addrs()), l.committed)
	require.Equal(t, "30000", maxMessageBytes(t, newAdmin(t, b.Addrs()), "a"))
}

func TestATornTailCostsNothingThatComesAfterIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	commit := func(offset int64) {
		c := startChild(t, dir)
		client, err := kgo.NewClient(kgo.SeedBrokers(c.addrs...), topicsByName)
		require.NoError(t, err)
		defer client.Close()
		if offset == 1 {
			brokertest.CreateTopic(t, c.addrs, "a", 1)
		}
		require.NoError(t, commitOffset(t.Context(), client, offset))
		brokertest.Produce(t, c.addrs, "a", brokertest.Record{Value: fmt.Append(nil, offset)})
		c.kill()
	}

	commit(1)
	tear(t, filepath.Join(dir, "cluster", "groups.log"))
	tear(t, filepath.Join(dir, "cluster", "partitions", "a-0", "0.dat"))
	commit(2)

	b := start(t, broker.Config{Dir: dir})
	require.Equal(t, int64(2), committedOffset(t, b.Addrs()))
	require.Equal(t, []string{"1", "2"}, values(brokertest.ReadAll(t, b.Addrs(), "a")))
}

// tear writes the beginning of something behind what is in the file.
func tear(t testing.TB, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotEmpty(t, content)
	require.NoError(t, os.WriteFile(path, append(content, content[:len(content)/2]...), 0o644))
}
