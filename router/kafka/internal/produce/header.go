package produce

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// The header of a batch in version 2 of Kafka's message format.
const (
	magic = 2 // of the format

	lengthAt     = 8 // of what follows the length
	sumAt        = 17
	attributesAt = 21 // where the checksum's range begins

	isTransactional = 1 << 4 // attribute; the lowest three bits are the codec
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// putHeader fills in the room before the records. The base offset stays 0: the
// broker knows it.
func (b *batch) putHeader(attributes uint16, s stamp) {
	be, to := binary.BigEndian, b.bytes
	be.PutUint32(to[lengthAt:], uint32(len(to)-lengthAt-4))
	be.PutUint32(to[12:], math.MaxUint32) // no leader epoch
	to[16] = magic
	be.PutUint16(to[attributesAt:], attributes)
	be.PutUint32(to[23:], uint32(len(b.tickets)-1)) // the last offset, from the base
	be.PutUint64(to[27:], uint64(b.first))
	be.PutUint64(to[35:], uint64(b.last))
	be.PutUint64(to[43:], uint64(s.id.id))
	be.PutUint16(to[51:], uint16(s.id.epoch))
	be.PutUint32(to[53:], uint32(s.sequence))
	be.PutUint32(to[57:], uint32(len(b.tickets)))
	be.PutUint32(to[sumAt:], crc32.Checksum(to[attributesAt:], castagnoli))
}
