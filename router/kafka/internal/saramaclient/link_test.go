package saramaclient

import (
	"encoding/binary"
	"io"
	"math"
	"net"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
)

// A connection that was lost while nobody used it is made anew.
func TestALinkComesBackAfterItsConnectionWasLost(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 1))
	fill(t, b, 0, 3, 10)
	l := newLink(sarama.NewConfig(), b.Addrs()[0])
	defer l.close()
	at := place{"in", 0}
	req := &fetchRequest{size: answerBytes, wishes: []wish{{place: at, size: fetchBytes, epoch: anyEpoch}}}
	for range 3 {
		got, err := l.fetch(req)
		require.NoError(t, err)
		records, _, err := (&scan{end: math.MaxInt64}).read(got[at])
		require.NoError(t, err)
		require.Len(t, records, 3)
		require.NoError(t, l.conn.Close())
	}
	l.close()
	_, err := l.fetch(req)
	require.ErrorIs(t, err, errLinkClosed)
}

// answering is a broker that answers the one request of a link with b, and with
// silence after that.
func answering(t *testing.T, b []byte) *link {
	t.Helper()
	ours, theirs := net.Pipe()
	conf := sarama.NewConfig()
	conf.Net.ReadTimeout = 50 * time.Millisecond
	l := newLink(conf, "127.0.0.1:0")
	l.conn = ours
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var size [4]byte
		if _, err := io.ReadFull(theirs, size[:]); err == nil {
			_, _ = io.CopyN(io.Discard, theirs, int64(binary.BigEndian.Uint32(size[:])))
			_, _ = theirs.Write(b)
		}
	}()
	t.Cleanup(func() {
		l.close()
		_ = theirs.Close()
		<-ended
	})
	return l
}

func TestBadAnswersAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer []byte
		text   string
	}{
		"too large":       {[]byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0}, "malformed"},
		"negative":        {[]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, "malformed"},
		"another request": {[]byte{0, 0, 0, 4, 0, 0, 0, 9}, "instead of 0"},
		"cut off":         {[]byte{0, 0, 0, 4, 0, 0, 0, 0}, "malformed"},
		"none":            {nil, "timeout"},
	} {
		_, err := answering(t, c.answer).fetch(&fetchRequest{})
		require.ErrorContains(t, err, c.text, name)
	}
}

// The request is what a protocol library of others reads.
func TestTheRequestIsAsOthersReadIt(t *testing.T) {
	t.Parallel()
	req := &fetchRequest{wait: 250 * time.Millisecond, size: 99, rack: "r1", wishes: []wish{
		{place: place{"b", 2}, offset: 7, size: 11, epoch: 3},
		{place: place{"a", 1}, offset: 8, size: 12, epoch: anyEpoch},
		{place: place{"b", 0}, offset: 9, size: 13, epoch: 4},
	}}
	frame := req.frame(5, "me")
	require.EqualValues(t, len(frame)-4, binary.BigEndian.Uint32(frame))
	got := kmsg.NewPtrFetchRequest()
	got.SetVersion(fetchVersion)
	require.NoError(t, got.ReadFrom(frame[4+2+2+4+2+len("me"):]))
	require.EqualValues(t, -1, got.ReplicaID)
	require.EqualValues(t, 250, got.MaxWaitMillis)
	require.EqualValues(t, 1, got.MinBytes)
	require.EqualValues(t, 99, got.MaxBytes)
	require.EqualValues(t, 1, got.IsolationLevel)
	require.EqualValues(t, -1, got.SessionEpoch)
	require.Equal(t, "r1", got.Rack)
	require.Len(t, got.Topics, 2)
	require.Equal(t, "a", got.Topics[0].Topic)
	require.Len(t, got.Topics[1].Partitions, 2)
	last := got.Topics[1].Partitions[1]
	require.EqualValues(t, 2, last.Partition)
	require.EqualValues(t, 7, last.FetchOffset)
	require.EqualValues(t, 11, last.PartitionMaxBytes)
	require.EqualValues(t, 3, last.CurrentLeaderEpoch)
}
