package produce

import (
	"fmt"
	"sync"

	"github.com/IBM/sarama"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy/xerial"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// codec makes what is sent of batches. Compressors are large, so partitions
// share some: as many as compress at a time.
type codec struct {
	id    sarama.CompressionCodec
	idle  sync.Pool // of *compressor; not used without compression
	fresh func() (compress, error)
}

// compress appends the compressed form of src to dst.
type compress func(dst, src []byte) ([]byte, error)

type compressor struct{ compress compress }

// newCodec fails when there is no such codec, or it has no such level.
func newCodec(id sarama.CompressionCodec, level int) (*codec, error) {
	c := &codec{id: id}
	switch id {
	case sarama.CompressionNone:
		return c, nil
	case sarama.CompressionGZIP:
		c.fresh = func() (compress, error) { return newGzip(level) }
	case sarama.CompressionSnappy:
		c.fresh = func() (compress, error) { return compressSnappy, nil }
	case sarama.CompressionLZ4:
		c.fresh = newLZ4
	case sarama.CompressionZSTD:
		c.fresh = func() (compress, error) { return newZstd(level) }
	default:
		return nil, fmt.Errorf("there is no codec for Compression %d", id)
	}
	first, err := c.take()
	if err != nil {
		return nil, fmt.Errorf("codec %s with CompressionLevel %d: %w", id, level, err)
	}
	c.idle.Put(first)
	return c, nil
}

func (c *codec) take() (*compressor, error) {
	if k, ok := c.idle.Get().(*compressor); ok {
		return k, nil
	}
	do, err := c.fresh()
	if err != nil {
		return nil, err
	}
	return &compressor{compress: do}, nil
}

// compress compresses the records of a batch. It takes other memory for that,
// and gives the batch's own back in its place.
func (c *codec) compress(b *batch, m *memory) error {
	if c.id == sarama.CompressionNone {
		return nil
	}
	k, err := c.take()
	if err != nil {
		return err
	}
	defer c.idle.Put(k)
	to := m.take(0) // what compression leaves of it shows
	to.bytes = append(to.bytes, make([]byte, client.BatchOverhead)...)
	to.bytes, err = k.compress(to.bytes, b.bytes[client.BatchOverhead:])
	if err != nil {
		return fmt.Errorf("compress with %s: %w", c.id, err)
	}
	b.bytes, to.bytes = to.bytes, b.bytes
	m.giveBack(to)
	return nil
}

func newGzip(level int) (compress, error) {
	if level == sarama.CompressionLevelDefault {
		level = gzip.DefaultCompression
	}
	var out sink
	w, err := gzip.NewWriterLevel(&out, level)
	return out.through(w), err
}

func newLZ4() (compress, error) {
	var out sink
	w := lz4.NewWriter(&out)
	err := w.Apply(lz4.BlockSizeOption(lz4.Block64Kb)) // what every client can read
	return out.through(w), err
}

func newZstd(level int) (compress, error) {
	speed := zstd.SpeedDefault
	if level != sarama.CompressionLevelDefault {
		speed = zstd.EncoderLevelFromZstd(level)
	}
	e, err := zstd.NewWriter(nil, zstd.WithZeroFrames(true), zstd.WithEncoderLevel(speed), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return func(dst, src []byte) ([]byte, error) { return e.EncodeAll(src, dst), nil }, nil
}

// compressSnappy compresses in the frames of xerial's library, as Kafka does.
func compressSnappy(dst, src []byte) ([]byte, error) {
	framed := xerial.Encode(dst[len(dst):], src) // in place, if that has room
	return append(dst, framed...), nil
}
