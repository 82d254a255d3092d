package wire_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/internal/chaos/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// talk is a client that talks to a broker through a tap.
type talk struct {
	t              require.TestingT
	client, broker net.Conn
	traffic        *wire.Traffic
	asked          int32
}

func newTalk(t *testing.T) *talk {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	k := &talk{t: t, traffic: wire.NewTraffic()}
	tap, err := wire.Listen(t.Context(), "127.0.0.1:0", listener.Addr().String(), k.traffic)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tap.Close()); require.NoError(t, listener.Close()) })
	k.client, err = net.Dial("tcp", tap.Address())
	require.NoError(t, err)
	k.broker, err = listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = k.client.Close(), k.broker.Close() })
	return k
}

// ask sends a request, in pieces, and returns when the broker has it.
func (k *talk) ask(client string, version int16, request kmsg.Request, pieces ...int) (number int32) {
	k.asked++
	request.SetVersion(version)
	b := kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, request, k.asked)
	for rest := b; len(rest) > 0; {
		n := len(rest)
		if len(pieces) > 0 {
			n, pieces = min(n, pieces[0]), pieces[1:]
		}
		_, err := k.client.Write(rest[:n])
		require.NoError(k.t, err)
		rest = rest[n:]
	}
	got := make([]byte, len(b))
	_, err := io.ReadFull(k.broker, got)
	require.NoError(k.t, err)
	require.Equal(k.t, b, got)
	return k.asked
}

// answer sends an answer of so many bytes, and returns when the client has it.
func (k *talk) answer(number int32, size int) {
	b := make([]byte, 8+size)
	binary.BigEndian.PutUint32(b, uint32(4+size))
	binary.BigEndian.PutUint32(b[4:], uint32(number))
	_, err := k.broker.Write(b)
	require.NoError(k.t, err)
	_, err = io.ReadFull(k.client, b)
	require.NoError(k.t, err)
}

func endTransaction(id string) kmsg.Request {
	r := kmsg.NewPtrEndTxnRequest()
	r.TransactionalID = id
	return r
}

func begin(id string) kmsg.Request {
	r := kmsg.NewPtrAddPartitionsToTxnRequest()
	r.TransactionalID = id
	return r
}

func TestATapKnowsWhatAClientIsAt(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.ProtocolType = "g", "consumer"
	joining := k.ask("a", 5, join)
	fetching := k.ask("a", 11, kmsg.NewPtrFetchRequest())
	require.Equal(t, wire.Activity{Rebalances: 1}, k.traffic.Of("a"))
	require.Zero(t, k.traffic.Of("b"))
	k.answer(joining, 100)
	k.answer(fetching, 100_000)
	require.Zero(t, k.traffic.Of("a"))

	for _, version := range []int16{1, 3} { // their fields are written in different ways
		k.answer(k.ask("b", version, begin("t1")), 10)
		k.answer(k.ask("b", version, begin("t1")), 10)
		k.answer(k.ask("b", version, begin("t2")), 10)
		require.Equal(t, wire.Activity{Transactions: 2}, k.traffic.Of("b"))
		ending := k.ask("b", version, endTransaction("t2"))
		require.Equal(t, wire.Activity{Transactions: 2, Commits: 1}, k.traffic.Of("b"))
		k.answer(ending, 10)
		require.Equal(t, wire.Activity{Transactions: 1}, k.traffic.Of("b"))
		k.answer(k.ask("b", version, endTransaction("t1")), 10)
		require.Zero(t, k.traffic.Of("b"))
	}

	k.ask("c", 8, kmsg.NewPtrOffsetCommitRequest())
	require.Equal(t, wire.Activity{Commits: 1}, k.traffic.Of("c"))
	require.NoError(t, k.client.Close())
	require.Eventually(t, func() bool { return k.traffic.Of("c") == wire.Activity{} }, 10*time.Second, time.Millisecond,
		"nobody waits for the answer any more")
}

func TestPiecesMakeNoDifference(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.IntRange(1, 40), 0, 20).Draw(t, "pieces")
		commit := kmsg.NewPtrOffsetCommitRequest()
		commit.Group = string(make([]byte, rapid.IntRange(0, 2000).Draw(t, "size")))
		number := k.ask("a", 5, commit, pieces...)
		require.Equal(t, 1, k.traffic.Of("a").Commits)
		k.answer(number, rapid.IntRange(0, 2000).Draw(t, "answer"))
		require.Zero(t, k.traffic.Of("a"))
	})
}
