package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/penstock/penstock/router"
)

// maxEdited bounds a value that was edited. Topics have lower limits.
const maxEdited = 64 << 20

// editedValue is the new value of a message. It is not asked for where the
// message is pending, or not to be replayed.
func (a *app) editedValue(ctx context.Context, f *poisonReplayFlags, log *router.PoisonLog, t poisonTopic, s router.PoisonSelection) (value []byte, pending bool, err error) {
	m, _, err := log.Message(ctx, *s.Position)
	switch {
	case errors.Is(err, router.ErrNotPoisoned):
		return nil, false, noPoisonAt(*s.Position, t.topic)
	case err != nil:
		return nil, false, err
	case m.Pending || !m.State.IsOpen() && !f.again:
		return nil, true, nil
	case f.valueFile != "":
		value, err = aside(ctx, func() ([]byte, error) { return a.readValue(f.valueFile) })
		return value, false, err
	}
	value, err = a.inEditor(ctx, m)
	if err == nil && bytes.Equal(value, m.Value) {
		err = fmt.Errorf("the value was not changed, so nothing was replayed: leave out --%s to replay it as it is", editFlag)
	}
	return value, false, err
}

func (a *app) readValue(file string) (_ []byte, err error) {
	in := a.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, wrongUse("--%s: %w", valueFileFlag, err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in = f
	}
	value, err := io.ReadAll(io.LimitReader(in, maxEdited+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(value) > maxEdited {
		return nil, fmt.Errorf("%s has more than %d bytes", file, maxEdited)
	}
	return value, nil
}

// inEditor opens a value in the user's editor.
func (a *app) inEditor(ctx context.Context, m *router.PoisonMessage) (_ []byte, err error) {
	editor := strings.Fields(os.Getenv("EDITOR"))
	if len(editor) == 0 {
		return nil, wrongUse("the variable EDITOR is not set: name an editor there, or give --%s", valueFileFlag)
	}
	dir, err := os.MkdirTemp("", "penstock-edit-") // for this user alone
	if err != nil {
		return nil, fmt.Errorf("make a file to edit: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "value")
	if err := os.WriteFile(file, m.Value, 0o600); err != nil {
		return nil, fmt.Errorf("make a file to edit: %w", err)
	}
	edit := exec.CommandContext(ctx, editor[0], append(editor[1:], file)...) //nolint:gosec // the user's own choice
	edit.Stdin, edit.Stdout, edit.Stderr = a.stdin, a.stdout.to, a.stderr
	if err := edit.Run(); err != nil {
		return nil, fmt.Errorf("edit with %s: %w; nothing was replayed", editor[0], err)
	}
	value, err := a.readValue(file)
	if err == nil && !bytes.HasSuffix(m.Value, []byte("\n")) {
		value = bytes.TrimSuffix(value, []byte("\n")) // editors add one
	}
	return value, err
}
