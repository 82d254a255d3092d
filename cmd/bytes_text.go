package cmd

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of what is shown of bytes that came from outside.
const (
	maxShort = 200     // of a key or a header
	maxText  = 8 << 10 // of a value that is text
	maxDump  = 512     // of a value that is none
)

// shortText shows bytes in one line: text as it is, anything else in hex.
func shortText(b []byte) string {
	shown := b[:min(len(b), maxShort)]
	for len(shown) < len(b) && len(shown) > 0 && !utf8.RuneStart(b[len(shown)]) {
		shown = shown[:len(shown)-1] // not in the middle of a character
	}
	text := string(shown)
	if !isText(shown) || strings.ContainsAny(text, "\n\t") {
		text = fmt.Sprintf("%q", shown)
		if !utf8.Valid(shown) {
			text = "0x" + hex.EncodeToString(shown)
		}
	}
	if len(shown) < len(b) {
		text += fmt.Sprintf("… (%d bytes)", len(b))
	}
	return text
}

// isText tells whether bytes can go to a terminal as they are.
func isText(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	return !bytes.ContainsFunc(b, func(r rune) bool {
		return r != '\n' && r != '\t' && !unicode.IsPrint(r)
	})
}

// writeBody shows a value: JSON indented, text as it is, anything else as a hex
// dump; each up to a bound.
func writeBody(w io.Writer, value []byte) {
	var indented bytes.Buffer
	if len(value) <= maxText && json.Indent(&indented, value, "", "  ") == nil && isText(indented.Bytes()) {
		fmt.Fprintf(w, "\n%s\n", indented.String())
		return
	}
	shown := value[:min(len(value), maxText)]
	for len(shown) < len(value) && len(shown) > 0 && !utf8.RuneStart(value[len(shown)]) {
		shown = shown[:len(shown)-1]
	}
	if isText(shown) {
		fmt.Fprintf(w, "\n%s\n", shown)
	} else {
		shown = value[:min(len(value), maxDump)]
		fmt.Fprintf(w, "\n%s", hex.Dump(shown))
	}
	if len(shown) < len(value) {
		fmt.Fprintf(w, "… the first %d of %d bytes; --%s writes all of them\n", len(shown), len(value), valueFlag)
	}
}
