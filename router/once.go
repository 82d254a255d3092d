package router

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// onceMemory knows the ids of the triggers that a source has put, over
// restarts: they are the keys of a compacted topic, read when the source
// starts. In memory an id takes 16 bytes.
//
// A trigger is stored before its id is. So one that was stored at the moment
// of a crash is put again, with the same id.
type onceMemory struct {
	topic string
	mu    sync.Mutex // held over a put, so that one id is not put twice side by side
	seen  map[idHash]struct{}
}

type idHash [16]byte

func hashID(id string) idHash {
	sum := sha256.Sum256([]byte(id))
	return idHash(sum[:16])
}

func recall(ctx context.Context, cfg kafka.Config, topic string) (*onceMemory, error) {
	m := &onceMemory{topic: topic, seen: map[idHash]struct{}{}}
	err := kafka.ReadTopic(ctx, cfg, topic, func(r *kafka.Record) error {
		if r.Value != nil {
			m.seen[hashID(string(r.Key))] = struct{}{}
		} else { // a tombstone: somebody wants it put again
			delete(m.seen, hashID(string(r.Key)))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("recall what was put before: %w", err)
	}
	return m, nil
}

func (m *onceMemory) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.seen)
}

// put sends the triggers that were not put before and remembers them.
func (m *onceMemory) put(ctx context.Context, triggers []pipeline.RawTrigger, send func(context.Context, []pipeline.RawTrigger) error, pub *kafka.Publisher) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	fresh := make([]pipeline.RawTrigger, 0, len(triggers))
	ids := make([]kafka.Output, 0, len(triggers))
	adding := make(map[idHash]struct{}, len(triggers))
	now := []byte(time.Now().UTC().Format(time.RFC3339))
	for _, t := range triggers {
		h := hashID(t.ID)
		_, before := m.seen[h]
		_, twice := adding[h]
		if before || twice {
			continue
		}
		adding[h] = struct{}{}
		fresh = append(fresh, t)
		ids = append(ids, kafka.Output{Topic: m.topic, Key: []byte(t.ID), Value: now})
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := send(ctx, fresh); err != nil {
		return err
	}
	if err := pub.Send(ctx, ids...); err != nil {
		return fmt.Errorf("remember %d triggers: %w", len(ids), err)
	}
	for h := range adding {
		m.seen[h] = struct{}{}
	}
	return nil
}
