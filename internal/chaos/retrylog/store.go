package retrylog

import (
	"encoding/gob"
	"errors"
	"fmt"
	"os"
)

// Save writes the records of several logs, by their topics, to a new file: owners cut
// their logs, so what is in them at the end is not all.
func Save(path string, logs map[string][]Record) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("save the retry logs: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := gob.NewEncoder(file).Encode(logs); err != nil {
		return fmt.Errorf("save the retry logs to %s: %w", path, err)
	}
	return nil
}

// Load reads what Save wrote.
func Load(path string) (logs map[string][]Record, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load the retry logs: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := gob.NewDecoder(file).Decode(&logs); err != nil {
		return nil, fmt.Errorf("load the retry logs of %s: %w", path, err)
	}
	return logs, nil
}
