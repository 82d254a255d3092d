package retrylog_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/internal/chaos/retrylog"
)

// blob writes fields as the format says.
type blob []byte

func (b blob) u8(n byte) blob     { return append(b, n) }
func (b blob) u32(n uint32) blob  { return binary.BigEndian.AppendUint32(b, n) }
func (b blob) i64(n int64) blob   { return binary.BigEndian.AppendUint64(b, uint64(n)) }
func (b blob) text(s string) blob { return append(b.u32(uint32(len(s))), s...) }
func (b blob) topic() blob        { return append(append(b, 7), make([]byte, 15)...) }

func records() map[string]struct {
	bytes blob
	want  retrylog.Event
} {
	at := time.Unix(0, 1_700_000_000_123_456_789)
	entry := retrylog.Entry{Topic: [16]byte{7}, Offset: 41}
	return map[string]struct {
		bytes blob
		want  retrylog.Event
	}{
		"TAKE":   {blob{2, 1}, retrylog.Event{Kind: retrylog.Take}},
		"RESUME": {blob{2, 8}.i64(3).topic().i64(99), retrylog.Event{Kind: retrylog.Resume, Epoch: 3, Input: [16]byte{7}, W: 99}},
		"PARK": {
			blob{2, 2}.i64(3).topic().i64(41).i64(5).i64(6).u32(2).u32(1).i64(at.UnixNano()).i64(8).i64(9).text("first").text("last").u8(0),
			retrylog.Event{Kind: retrylog.Park, Epoch: 3, Parked: retrylog.Parked{Entry: entry, Rank: 5, Prev: 6, Attempts: 2, Starts: 1, NotBefore: at}},
		},
		"PARK that is held": {
			blob{2, 2}.i64(3).topic().i64(41).i64(-1).i64(-1).u32(0).u32(0).i64(0).i64(0).i64(0).text("").text("").u8(1),
			retrylog.Event{Kind: retrylog.Park, Epoch: 3, Parked: retrylog.Parked{Entry: entry, Rank: -1, Prev: -1, Held: true}},
		},
		"START": {
			blob{2, 3}.i64(3).u32(2).topic().i64(41).topic().i64(42),
			retrylog.Event{Kind: retrylog.Start, Epoch: 3, Entries: []retrylog.Entry{entry, {Topic: [16]byte{7}, Offset: 42}}},
		},
		"DONE": {
			blob{2, 4}.i64(3).u8(3).u32(1).topic().i64(41),
			retrylog.Event{Kind: retrylog.Done, Epoch: 3, Outcome: retrylog.Poisoned, Entries: []retrylog.Entry{entry}},
		},
		"SCAN": {blob{2, 7}.i64(3), retrylog.Event{Kind: retrylog.Scan, Epoch: 3}},
	}
}

func TestRecordsAreReadAsTheFormatSays(t *testing.T) {
	t.Parallel()
	for name, r := range records() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := retrylog.Decode(r.bytes)
			require.NoError(t, err)
			require.Equal(t, r.want, e)
			for n := range r.bytes {
				_, err := retrylog.Decode(r.bytes[:n])
				require.Error(t, err, "the first %d bytes", n)
			}
			_, err = retrylog.Decode(r.bytes.u8(0))
			require.Error(t, err, "a byte more")
		})
	}
}

func TestWhatIsNoRecordIsAnError(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]blob{
		"another format":         {1, 7, 0, 0, 0, 0, 0, 0, 0, 0},
		"an unknown kind":        {2, 9, 0, 0, 0, 0, 0, 0, 0, 0},
		"more entries than fit":  blob{2, 3}.i64(3).u32(1 << 30),
		"fewer than one entry":   blob{2, 3}.i64(3).u32(0),
		"unknown flags":          blob{2, 2}.i64(3).topic().i64(41).i64(-1).i64(-1).u32(0).u32(0).i64(0).i64(0).i64(0).text("").text("").u8(4),
		"a rank without a place": blob{2, 2}.i64(3).topic().i64(41).i64(5).i64(-1).u32(0).u32(0).i64(0).i64(0).i64(0).text("").text("").u8(0),
	} {
		_, err := retrylog.Decode(b)
		require.Error(t, err, name)
	}
}

func TestNothingPanicsTheDecoder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "bytes")
		if len(b) > 1 && rapid.Bool().Draw(t, "begins well") {
			b[0], b[1] = 2, b[1]%9
		}
		_, _ = retrylog.Decode(b)
	})
}
