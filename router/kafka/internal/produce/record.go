package produce

import (
	"encoding/binary"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// appendRecord appends the record of an output; its time and its offset are
// counted from those of the first one. Its length comes first and is known last:
// room is left for the usual two bytes, and the rest moves if it has another
// size.
func appendRecord(dst []byte, out *client.Output, time int64, offset int) []byte {
	const room, noAttributes = 2, 0
	start := len(dst)
	dst = append(dst, 0, 0, noAttributes)
	dst = appendVarint(dst, time)
	dst = appendVarint(dst, int64(offset))
	dst = appendBytes(dst, out.Key)
	dst = appendBytes(dst, out.Value)
	dst = appendVarint(dst, int64(len(out.Headers)))
	for i := range out.Headers {
		h := &out.Headers[i]
		dst = appendVarint(dst, int64(len(h.Key))) // a broker refuses a header without a key: nil is empty
		dst = append(dst, h.Key...)
		dst = appendBytes(dst, h.Value)
	}
	body := dst[start+room:]
	var length [binary.MaxVarintLen64]byte
	n := binary.PutVarint(length[:], int64(len(body)))
	if n != room {
		dst = append(dst, length[:n]...) // for the room it makes
		dst = dst[:start+n+len(body)]
		copy(dst[start+n:], body)
	}
	copy(dst[start:], length[:n])
	return dst
}

// appendBytes appends b behind its length, which is -1 for nil.
func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return appendVarint(dst, -1)
	}
	dst = appendVarint(dst, int64(len(b)))
	return append(dst, b...)
}

// appendVarint appends n in zigzag encoding.
func appendVarint(dst []byte, n int64) []byte {
	if z := uint64(n<<1) ^ uint64(n>>63); z < 1<<7 {
		return append(dst, byte(z)) // nearly always, and inlined
	}
	return binary.AppendVarint(dst, n)
}
