package saramaclient

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/IBM/sarama"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxBatch bounds what a batch holds once it is decompressed: a few bytes from
// outside must not fill the memory.
const maxBatch = 128 << 20

var errTooLarge = errors.New("a batch is too large once it is decompressed")

// decompressor takes the records of batches out of their compression. What it
// needs for that is large, so it is used again. It is safe for concurrent use.
type decompressor struct {
	limit int
	gzips sync.Pool // of *gzip.Reader
	lz4s  sync.Pool // of *lz4.Reader
	zstds sync.Pool // of *zstd.Decoder
}

func newDecompressor(limit int) *decompressor { return &decompressor{limit: limit} }

// do returns memory of its own, but for records that are not compressed.
func (d *decompressor) do(codec sarama.CompressionCodec, src []byte) (records []byte, err error) {
	switch codec {
	case sarama.CompressionNone:
		return src, nil
	case sarama.CompressionGZIP:
		records, err = d.gzip(src)
	case sarama.CompressionSnappy:
		records, err = d.snappy(src)
	case sarama.CompressionLZ4:
		records, err = d.lz4(src)
	case sarama.CompressionZSTD:
		records, err = d.zstd(src)
	default:
		return nil, fmt.Errorf("there is no compression %d: %w", codec, errMalformed)
	}
	if err != nil {
		return nil, fmt.Errorf("decompress a batch of %d bytes with %s: %w", len(src), codec, err)
	}
	return records, nil
}

func (d *decompressor) gzip(src []byte) ([]byte, error) {
	r, ok := d.gzips.Get().(*gzip.Reader)
	if !ok {
		r = new(gzip.Reader)
	}
	defer d.gzips.Put(r)
	if err := r.Reset(bytes.NewReader(src)); err != nil {
		return nil, err
	}
	return d.readAll(r, len(src))
}

func (d *decompressor) lz4(src []byte) ([]byte, error) {
	r, ok := d.lz4s.Get().(*lz4.Reader)
	if !ok {
		r = lz4.NewReader(nil)
	}
	defer d.lz4s.Put(r)
	r.Reset(bytes.NewReader(src))
	return d.readAll(r, len(src))
}

// readAll reads to the end, at first into what most batches need.
func (d *decompressor) readAll(r io.Reader, compressed int) ([]byte, error) {
	out := bytes.NewBuffer(make([]byte, 0, min(4*compressed+bytes.MinRead, d.limit)))
	n, err := out.ReadFrom(io.LimitReader(r, int64(d.limit)+1))
	switch {
	case err != nil:
		return nil, err
	case n > int64(d.limit):
		return nil, errTooLarge
	}
	return out.Bytes(), nil
}

func (d *decompressor) zstd(src []byte) ([]byte, error) {
	r, ok := d.zstds.Get().(*zstd.Decoder)
	if !ok {
		var err error
		r, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(d.limit)))
		if err != nil {
			return nil, err
		}
	}
	defer d.zstds.Put(r)
	out, err := r.DecodeAll(src, nil)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return nil, errTooLarge
	}
	return out, err
}

// xerialMagic begins what is compressed in the frames of xerial's snappy
// library, as Kafka does. Sixteen bytes with it are followed by blocks, each
// behind its length.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

// snappy looks up the size of everything first: blocks say what they hold.
func (d *decompressor) snappy(src []byte) ([]byte, error) {
	const head = 16
	if !bytes.HasPrefix(src, xerialMagic) {
		size, err := snappy.DecodedLen(src)
		switch {
		case err != nil:
			return nil, err
		case size > d.limit:
			return nil, errTooLarge
		}
		return snappy.Decode(nil, src)
	}
	w := wire{rest: src}
	w.take(head)
	size, blocks := 0, w.rest
	for len(w.rest) > 0 {
		n, err := snappy.DecodedLen(w.take(int(w.int32())))
		switch {
		case err != nil:
			return nil, err
		case n > d.limit-size:
			return nil, errTooLarge
		}
		size += n
	}
	if w.short {
		return nil, errMalformed
	}
	out := make([]byte, 0, size)
	for len(blocks) > 0 {
		n := int(binary.BigEndian.Uint32(blocks))
		from := blocks[4 : 4+n]
		size, _ := snappy.DecodedLen(from) // as before
		if _, err := snappy.Decode(out[len(out):len(out)+size], from); err != nil {
			return nil, err
		}
		out, blocks = out[:len(out)+size], blocks[4+n:]
	}
	return out, nil
}
