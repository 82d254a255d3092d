package schemas

import (
	"context"
	"errors"
)

// Codec turns values of T into bytes and back.
//
// An implementation keeps no state between calls, is safe for concurrent use,
// and can be compared with ==: two equal codecs write the same bytes, so that a
// message can go on from one pipe to the other without being encoded again.
type Codec[T any] interface {
	// Encode returns the bytes of v. An error means that v has no encoding, and
	// that trying again does not help, unless it wraps ErrUnavailable.
	Encode(v T) ([]byte, error)

	// Decode returns the value of b, which it must not change. An error means
	// that b is broken, and that trying again does not help, unless it wraps
	// ErrUnavailable. The context bounds a look-up that Decode may need.
	Decode(ctx context.Context, b []byte) (T, error)

	// ContentType is the media type of the bytes. It travels with each message.
	ContentType() string
}

// ErrUnavailable is wrapped by a codec's error when what the codec needs could
// not be reached, so that nothing is known about the bytes. The message is tried
// again, where any other error of a codec poisons it.
var ErrUnavailable = errors.New("what the codec needs is unavailable")
