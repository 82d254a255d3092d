package produce

import "io"

// sink appends what is written to it.
type sink struct{ b []byte }

func (s *sink) Write(b []byte) (int, error) {
	s.b = append(s.b, b...)
	return len(b), nil
}

// stream is a compressor that writes to somewhere, and can be used again.
type stream interface {
	io.WriteCloser
	Reset(to io.Writer)
}

// through compresses by writing through a stream into the sink.
func (s *sink) through(w stream) compress {
	return func(dst, src []byte) ([]byte, error) {
		s.b = dst
		w.Reset(s)
		if _, err := w.Write(src); err != nil {
			return dst, err
		}
		err := w.Close()
		dst, s.b = s.b, nil
		return dst, err
	}
}
