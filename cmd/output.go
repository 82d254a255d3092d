package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// output is standard output. It remembers the first failed write, so that a
// command whose result did not arrive does not end as if it had.
type output struct {
	to  io.Writer
	err error
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	n, err := o.to.Write(b)
	o.note(err)
	return n, err
}

func (o *output) note(err error) {
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("write to standard output: %w", err)
	}
}

// document writes a value as JSON, for a person to read too.
func (o *output) document(v any) {
	e := json.NewEncoder(o)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	_ = e.Encode(v) //nolint:errchkjson // documents are plain data, and a failed write is noted
}

// line writes a value as JSON in one line.
func (o *output) line(v any) {
	e := json.NewEncoder(o)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) //nolint:errchkjson // as in document
}

// terminalWidth tells whether w is a terminal, and its width in cells.
func terminalWidth(w io.Writer) (width int, isTerminal bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	return width, true
}
