package cmd

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/spf13/pflag"
)

// logFlags are the flags of a command that logs what it does, to standard error.
type logFlags struct {
	level, format choice
}

const (
	formatText = "text"
	formatJSON = "json"
)

func newLogFlags(flags *pflag.FlagSet) *logFlags {
	l := &logFlags{
		level:  choice{value: "info", among: []string{"debug", "info", "warn", "error"}},
		format: choice{value: formatText, among: []string{formatText, formatJSON}},
	}
	flags.Var(&l.level, "log-level", "log from this `level` on: "+strings.Join(l.level.among, ", "))
	flags.Var(&l.format, "log-format", "`format` of the log: text for people, json for machines")
	return l
}

func (l *logFlags) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.level.value)) // a choice of its names
	if l.format.value == formatJSON {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(newTextHandler(w, level))
}

// quietLog is for the commands that only look: they tell of troubles alone.
func quietLog(w io.Writer) *slog.Logger { return slog.New(newTextHandler(w, slog.LevelWarn)) }

// textHandler logs lines for people: the time of day, the level, the message,
// and the attributes as slog.TextHandler writes them.
type textHandler struct {
	attrs slog.Handler // writes into line.buf
	line  *logLine
}

// logLine is the line that is being made, for a handler and all made of it.
type logLine struct {
	mu  sync.Mutex
	buf bytes.Buffer
	out io.Writer
}

func newTextHandler(w io.Writer, level slog.Leveler) slog.Handler {
	line := &logLine{out: w}
	return &textHandler{line: line, attrs: slog.NewTextHandler(&line.buf, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
				return slog.Attr{} // they stand before
			}
			return a
		},
	})}
}

// Enabled implements slog.Handler.
func (h *textHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.attrs.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *textHandler) Handle(ctx context.Context, r slog.Record) error {
	h.line.mu.Lock()
	defer h.line.mu.Unlock()
	b := &h.line.buf
	b.Reset()
	b.WriteString(r.Time.Format("15:04:05.000 "))
	b.WriteString((r.Level.String() + "     ")[:6])
	b.WriteString(cellText(r.Message))
	end := b.Len()
	b.WriteByte(' ')
	if err := h.attrs.Handle(ctx, r); err != nil {
		return err
	}
	if b.Len() == end+2 { // the space and the end of the line: there were no attributes
		b.Truncate(end)
		b.WriteByte('\n')
	}
	_, err := h.line.out.Write(b.Bytes())
	return err
}

// WithAttrs implements slog.Handler.
func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &textHandler{line: h.line, attrs: h.attrs.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h *textHandler) WithGroup(name string) slog.Handler {
	return &textHandler{line: h.line, attrs: h.attrs.WithGroup(name)}
}
