package sources

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// textLine is one line, without its end.
type textLine struct {
	number  int // from 1
	text    []byte
	tooLong bool // text is nil then
}

// lineReader cuts lines. What is too long is passed over in pieces, so it never is
// in memory.
type lineReader struct {
	r       *bufio.Reader
	longest int
	number  int
}

func newLineReader(r io.Reader, longest int) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10), longest: longest}
}

// next returns the next line that is not empty, with memory of its own. The error is
// io.EOF at the end.
func (l *lineReader) next() (textLine, error) {
	for {
		line, err := l.cut()
		if err != nil || len(line.text) > 0 || line.tooLong {
			return line, err
		}
	}
}

func (l *lineReader) cut() (textLine, error) {
	line := textLine{number: l.number + 1}
	limit := l.longest + len("\r\n")
	for {
		piece, err := l.r.ReadSlice('\n')
		if !line.tooLong {
			line.text = append(line.text, piece...)
		}
		if len(line.text) > limit {
			line.text, line.tooLong = nil, true
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(line.text) > 0 || line.tooLong): // the last line has no end
		case err != nil:
			return line, err
		}
		break
	}
	l.number++
	if text, ended := bytes.CutSuffix(line.text, []byte{'\n'}); ended {
		line.text = bytes.TrimSuffix(text, []byte{'\r'})
	}
	if len(line.text) > l.longest {
		line.text, line.tooLong = nil, true
	}
	return line, nil
}
