package cmd

import (
	"strings"

	"github.com/spf13/pflag"
)

// urlList is the value of a flag that has URLs, several with commas. Any text can be
// set, so that no error repeats a password: whoever reads the URLs says what is wrong.
type urlList struct{ urls []string }

var (
	_ pflag.Value      = (*urlList)(nil)
	_ pflag.SliceValue = (*urlList)(nil)
)

// String implements pflag.Value. It shows no password.
func (l *urlList) String() string { return withoutPasswords(strings.Join(l.urls, ",")) }

// Type implements pflag.Value.
func (l *urlList) Type() string { return "URLs" }

// Set implements pflag.Value. It adds to what was set before.
func (l *urlList) Set(s string) error {
	for url := range strings.SplitSeq(s, ",") {
		if url = strings.TrimSpace(url); url != "" {
			l.urls = append(l.urls, url)
		}
	}
	return nil
}

// Append implements pflag.SliceValue.
func (l *urlList) Append(s string) error { return l.Set(s) }

// Replace implements pflag.SliceValue.
func (l *urlList) Replace(list []string) error {
	l.urls = nil
	return l.Set(strings.Join(list, ","))
}

// GetSlice implements pflag.SliceValue.
func (l *urlList) GetSlice() []string { return l.urls }

// withoutPasswords hides the passwords of URLs, several with commas. It hides too much
// rather than too little: a password may have in it what it should not.
func withoutPasswords(text string) string {
	parts := strings.Split(text, ",")
	for i, part := range parts {
		at := strings.LastIndex(part, "@")
		if at < 0 {
			continue
		}
		scheme, user, isURL := strings.Cut(part[:at], "://")
		if !isURL && strings.Contains(text, "://") { // the comma before it may be one of the password's
			return hidden
		}
		if isURL {
			scheme += "://"
		} else {
			scheme, user = "", part[:at]
		}
		if name, _, has := strings.Cut(user, ":"); has {
			parts[i] = scheme + name + ":" + hidden + part[at:]
		}
	}
	return strings.Join(parts, ",")
}
