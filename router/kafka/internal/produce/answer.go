package produce

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// answer is what a broker says of one batch.
type answer struct {
	code     sarama.KError
	offset   int64  // of the first record
	message  string // why it is refused; often empty
	culprits []culprit
}

// culprit is a record for which a batch is refused.
type culprit struct {
	index   int
	message string
}

// placed is an answer with what it is about.
type placed struct {
	topic     []byte // a part of the response
	partition int32
	answer
}

var errMalformed = errors.New("the broker's answer is malformed")

// decodeAnswers appends what the body of a produce response says of each
// partition, and tells for how long the broker wants to be left alone.
func decodeAnswers(dst []placed, body []byte) (_ []placed, throttle time.Duration, err error) {
	r := reader{rest: body}
	for range r.count() {
		topic := r.bytes() // nothing follows once the reader has failed
		for range r.count() {
			dst = append(dst, placed{topic: topic, partition: int32(r.uint32()), answer: r.answer()})
			if r.failed {
				return dst, 0, fmt.Errorf("%w: it ends too early", errMalformed)
			}
		}
	}
	throttle = time.Duration(int32(r.uint32())) * time.Millisecond
	switch {
	case r.failed:
		return dst, 0, fmt.Errorf("%w: it ends too early", errMalformed)
	case len(r.rest) > 0:
		return dst, 0, fmt.Errorf("%w: %d bytes are left over", errMalformed, len(r.rest))
	}
	return dst, throttle, nil
}

// reader takes fields from the front of a response. Once it has failed, it
// reads zeros and no lists.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) answer() answer {
	a := answer{code: sarama.KError(r.uint16()), offset: int64(r.uint64())}
	r.uint64() // when the log took it
	r.uint64() // where the log begins
	for range r.count() {
		a.culprits = append(a.culprits, culprit{int(int32(r.uint32())), string(r.bytes())})
		if r.failed {
			break
		}
	}
	a.message = string(r.bytes())
	return a
}

// next takes n bytes.
func (r *reader) next(n int) []byte {
	if n > len(r.rest) {
		r.failed, r.rest = true, nil
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint16() uint16 { return binary.BigEndian.Uint16(r.next(2)) }
func (r *reader) uint32() uint32 { return binary.BigEndian.Uint32(r.next(4)) }
func (r *reader) uint64() uint64 { return binary.BigEndian.Uint64(r.next(8)) }

// bytes takes a string; null is empty.
func (r *reader) bytes() []byte {
	n := int(int16(r.uint16()))
	if n > len(r.rest) {
		r.failed, r.rest = true, nil
	}
	if n <= 0 || r.failed {
		return nil
	}
	return r.next(n)
}

// count takes the length of a list, which cannot be longer than what is left.
// A null list is empty.
func (r *reader) count() int {
	n := int(int32(r.uint32()))
	if n > len(r.rest) {
		r.failed, r.rest = true, nil
	}
	if n <= 0 || r.failed {
		return 0
	}
	return n
}
