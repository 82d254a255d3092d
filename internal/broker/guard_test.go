package broker_test

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
)

// frame returns a request of the kind with the bytes after its header.
func frame(kind, version int16, body []byte) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(2+2+4+2+len(body)))
	head = binary.BigEndian.AppendUint16(head, uint16(kind))
	head = binary.BigEndian.AppendUint16(head, uint16(version))
	head = binary.BigEndian.AppendUint32(head, 1)      // correlation id
	head = binary.BigEndian.AppendUint16(head, 0xffff) // no client id
	return append(head, body...)
}

// requireEnd requires that the broker ends the connection after these bytes.
func requireEnd(t testing.TB, addr string, bytes []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = conn.Write(bytes)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, conn)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestWhatIsNoKafkaRequestEndsTheConnectionOnly(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	brokertest.CreateTopic(t, b.Addrs(), "a", 1)
	for name, bytes := range map[string][]byte{
		"a browser":          []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"TLS":                {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03},
		"an unknown kind":    frame(12345, 0, nil),
		"a negative kind":    frame(-1, 0, nil),
		"no size":            make([]byte, 100),
		"a negative size":    {0xff, 0xff, 0xff, 0xff, 0, 3, 0, 9, 0, 0, 0, 0},
		"a newer version":    frame(0, 99, make([]byte, 50)),
		"a negative version": frame(3, -7, make([]byte, 50)),
		"a cut request":      frame(0, 9, []byte{1, 2, 3}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireEnd(t, b.Addrs()[0], bytes)
			require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "a"), "the broker goes on")
		})
	}
}
