package registry

import (
	"sync"
	"time"

	"github.com/penstock/penstock/schemas"
)

const (
	// maxCached bounds how many schemas, and how many ids without one, are kept.
	// Beyond, all are forgotten.
	maxCached = 1000

	// unknownFor is how long an id without a schema is taken to have none, so that
	// broken values cannot make a request each.
	unknownFor = 10 * time.Second
)

// cache keeps what the registry said of ids.
type cache struct {
	mu      sync.Mutex
	schemas map[int]schemas.Schema
	unknown map[int]unknown
}

type unknown struct {
	until time.Time
	err   error
}

func (c *cache) get(id int) (s schemas.Schema, known bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.schemas[id]; ok {
		return s, true, nil
	}
	if u, ok := c.unknown[id]; ok && time.Now().Before(u.until) {
		return schemas.Schema{}, true, u.err
	}
	return schemas.Schema{}, false, nil
}

func (c *cache) put(id int, s schemas.Schema) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.schemas == nil || len(c.schemas) >= maxCached {
		c.schemas = map[int]schemas.Schema{}
	}
	c.schemas[id] = s
}

func (c *cache) putUnknown(id int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unknown == nil || len(c.unknown) >= maxCached {
		c.unknown = map[int]unknown{}
	}
	c.unknown[id] = unknown{time.Now().Add(unknownFor), err}
}
