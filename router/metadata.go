package router

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/penstock/penstock/router/kafka"
)

// position is what is committed beside the offset. Group offsets can expire: who
// finds nothing does as well, only slower.
type position struct {
	Version int `json:"v"`

	// Scan is the offset of a SCAN, from where the retry log is to be read. The log
	// tells it too, only later.
	Scan int64 `json:"scan"`

	// Crashes is how owners of the partition have ended.
	Crashes history `json:"crashes,omitzero"`
}

// positionFormat is the version that is written. What is added to it later must be
// such that who does not know it may lose it.
const positionFormat = 1

// readPosition reads what was committed. Where that is nothing, of a version that we
// do not know, or what no version writes, it is the zero one: the log is read from its
// start, and nobody is known to have crashed. So what is read fits beside an offset
// again, whoever wrote it.
func readPosition(text string) position {
	var at position
	if json.Unmarshal([]byte(text), &at) != nil || at.Version != positionFormat || !at.Crashes.valid() {
		return position{Version: positionFormat}
	}
	at.Scan = max(at.Scan, 0)
	return at
}

// metadata is the position of one claim as it is to be committed. It is safe for
// concurrent use.
type metadata struct {
	claim *kafka.Claim

	mu sync.Mutex
	at position
}

func newMetadata(claim *kafka.Claim) *metadata {
	return &metadata{claim: claim, at: readPosition(claim.Metadata())}
}

// read is the position as it is set now.
func (m *metadata) read() position {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at
}

// change has a changed position go with each commit from now on.
func (m *metadata) change(f func(*position)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.at)
	text, err := json.Marshal(m.at)
	if err == nil {
		err = m.claim.SetMetadata(string(text))
	}
	if err != nil {
		return fmt.Errorf("set what is committed beside the offset of %s/%d: %w", m.claim.Topic(), m.claim.Partition(), err)
	}
	return nil
}
