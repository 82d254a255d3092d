package router

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// maxSignature bounds a signature, in bytes.
const maxSignature = 200

// What differs between errors of one kind, the first kind first: quoted text,
// what has digits in it (numbers, times, addresses, ids, UUIDs), and hex in
// words of eight letters and more.
var varying = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`|(^|[\\s(\\[=:,])'[^']*'"), "${1}…"},
	{regexp.MustCompile(`[^\s"(){}\[\],;=…]*[0-9](?:[^\s"(){}\[\],;=…]*[^\s"(){}\[\],;=…:.!?])?`), "#"},
	{regexp.MustCompile(`\b[a-fA-F]{8,}\b`), "#"},
}

// ErrorSignature is an error's text without what differs from message to message,
// so that errors of one kind have one signature: quoted text becomes …, and words
// with digits in them (numbers, times, addresses, ids) and hex become #. What
// repeats becomes one, white space too. It is cut at 200 bytes.
//
// It is a rule of thumb: two kinds may come to look alike, and one kind whose
// texts differ in plain words is taken for several.
func ErrorSignature(text string) string {
	text = cutText(text, maxErrorText)
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.instead)
	}
	words := strings.Fields(strings.ToValidUTF8(text, "�"))
	kept := words[:0]
	for _, w := range words {
		if n := len(kept); n > 0 && kept[n-1] == w && (w == "#" || w == "…") {
			continue
		}
		kept = append(kept, w)
	}
	return cutText(strings.Join(kept, " "), maxSignature)
}

// PoisonGroupID names the messages of a stage whose last errors have one
// signature. It is short, and the same in each program and at each time.
func PoisonGroupID(stage, signature string) string {
	sum := sha256.Sum256([]byte(stage + "\x00" + signature))
	return hex.EncodeToString(sum[:4])
}
