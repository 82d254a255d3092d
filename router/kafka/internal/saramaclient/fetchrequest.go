package saramaclient

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

const (
	fetchKey = 1
	// fetchVersion is the newest one that names topics, not their ids, and asks
	// nothing that a tail has not. Every broker since 2.3 takes it.
	fetchVersion = 11

	isolation = 1 // committed records only
	anyEpoch  = -1
)

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// wish is what a fetch request asks of a partition.
type wish struct {
	place
	offset int64
	size   int32 // in bytes, but at least one batch is sent
	epoch  int32 // of the leader, or anyEpoch
}

// fetchRequest is a request for records of several partitions.
type fetchRequest struct {
	wait   time.Duration // for the first byte
	size   int32         // of the answer, in bytes, but at least one batch is sent
	rack   string
	wishes []wish
}

// frame is the request as it is sent. It sorts the wishes.
func (r *fetchRequest) frame(correlation int32, clientID string) []byte {
	const noReplica, noSession, noLogStart = math.MaxUint32, math.MaxUint32, math.MaxUint64
	slices.SortFunc(r.wishes, func(a, b wish) int {
		return cmp.Or(strings.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	b := make([]byte, 4, 128+64*len(r.wishes)) // the size comes last
	b = binary.BigEndian.AppendUint16(b, fetchKey)
	b = binary.BigEndian.AppendUint16(b, fetchVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = appendString(b, clientID)
	b = binary.BigEndian.AppendUint32(b, noReplica)
	b = binary.BigEndian.AppendUint32(b, uint32(r.wait.Milliseconds()))
	b = binary.BigEndian.AppendUint32(b, 1) // byte at least
	b = binary.BigEndian.AppendUint32(b, uint32(r.size))
	b = append(b, isolation)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, noSession)
	topics := len(b)
	b = binary.BigEndian.AppendUint32(b, 0) // the number of topics comes last
	for rest := r.wishes; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].topic == rest[0].topic {
			n++
		}
		b = appendString(b, rest[0].topic)
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		for _, w := range rest[:n] {
			b = binary.BigEndian.AppendUint32(b, uint32(w.partition))
			b = binary.BigEndian.AppendUint32(b, uint32(w.epoch))
			b = binary.BigEndian.AppendUint64(b, uint64(w.offset))
			b = binary.BigEndian.AppendUint64(b, noLogStart)
			b = binary.BigEndian.AppendUint32(b, uint32(w.size))
		}
		binary.BigEndian.PutUint32(b[topics:], binary.BigEndian.Uint32(b[topics:])+1)
		rest = rest[n:]
	}
	b = binary.BigEndian.AppendUint32(b, 0) // topics that a session forgets
	b = appendString(b, r.rack)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

// errLacksPartition means that an answer is silent about what was asked for.
var errLacksPartition = errors.New("the broker's answer lacks the partition")

// block is what an answer says of a partition.
type block struct {
	err       sarama.KError
	high      int64 // watermark
	stable    int64 // offset behind the last one whose transaction is decided
	preferred int32 // replica that is to be asked instead, or leaderItself
	aborted   []abortion
	batches   []byte // as they are in the log; the last one may be cut off
}

// abortion is a transaction that was aborted.
type abortion struct {
	producer int64
	first    int64 // offset
}

// decodeFetched reads the body of an answer. The batches stay where they are.
func decodeFetched(body []byte) (blocks map[place]*block, throttle time.Duration, err error) {
	w := wire{rest: body}
	throttle = time.Duration(max(w.int32(), 0)) * time.Millisecond
	failed := sarama.KError(w.int16())
	w.int32() // session
	blocks = map[place]*block{}
	for range w.count() {
		topic := string(w.take(int(w.int16())))
		for range w.count() {
			at := place{topic, w.int32()}
			blocks[at] = w.block()
		}
	}
	switch {
	case w.short:
		return nil, 0, errMalformed
	case failed != sarama.ErrNoError:
		return nil, throttle, failed
	}
	return blocks, throttle, nil
}

func (w *wire) block() *block {
	k := &block{err: sarama.KError(w.int16()), high: w.int64(), stable: w.int64()}
	w.int64() // where the log begins
	for range w.count() {
		k.aborted = append(k.aborted, abortion{producer: w.int64(), first: w.int64()})
	}
	k.preferred = w.int32()
	if n := w.int32(); n > 0 { // -1: none
		k.batches = w.take(int(n))
	}
	return k
}
