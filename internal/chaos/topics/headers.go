package topics

import (
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Headers are headers as one string: equal where the headers are, and a prefix of
// another where these are the first of those.
func Headers(headers []kgo.RecordHeader) string {
	var b strings.Builder
	for _, h := range headers {
		for _, part := range [...]string{h.Key, string(h.Value)} {
			b.WriteString(strconv.Itoa(len(part)))
			b.WriteByte(':')
			b.WriteString(part)
		}
	}
	return b.String()
}
