package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// measurement is what a contestant's process used from the first message that
// its filter got until the last output was stored. Joining the group, the first
// fetch and the end are left out: a service does them once.
type measurement struct {
	Messages int64   `json:"messages"` // outputs stored when the clock stopped
	Seconds  float64 `json:"seconds"`
	CPU      float64 `json:"cpu_seconds"` // user and system, of the contestant's process
	Allocs   uint64  `json:"allocs"`
	Bytes    uint64  `json:"alloc_bytes"`
	GCs      uint32  `json:"gcs"`
}

// meter stands around the filter. It is the same for all contestants.
type meter struct {
	job     job
	first   sync.Once
	started chan struct{}
	seen    atomic.Int64
	all     chan struct{} // closed when the filter has seen all that is measured

	begun      time.Time
	begunCPU   float64
	begunAlloc runtime.MemStats
	profile    *os.File
	err        error
}

func newMeter(j job) *meter {
	return &meter{job: j, started: make(chan struct{}), all: make(chan struct{})}
}

// filter changes the last byte of a copy: next to nothing, so that what is
// measured is what stands around it.
func (m *meter) filter(ctx context.Context, value []byte) ([]byte, error) {
	m.first.Do(m.start)
	if m.seen.Add(1) == m.job.Messages {
		close(m.all)
	}
	if d := m.job.Load.Delay; d > 0 {
		time.Sleep(d) //nolint:forbidigo // the filter is slow: that is the case
	}
	return worked(value), ctx.Err()
}

// worked is the output for an input's value.
func worked(value []byte) []byte {
	out := make([]byte, len(value))
	copy(out, value)
	out[len(out)-1] = workedMark
	return out
}

const workedMark = 'Z'

func (m *meter) start() {
	defer close(m.started)
	if m.job.Profile != "" {
		if m.profile, m.err = os.Create(m.job.Profile); m.err == nil {
			m.err = pprof.StartCPUProfile(m.profile)
		}
	}
	runtime.ReadMemStats(&m.begunAlloc)
	m.begunCPU = cpuSeconds()
	m.begun = time.Now()
}

// await waits until all outputs are stored, as the broker tells it, and stops
// the clock.
func (m *meter) await(ctx context.Context, stored func(context.Context) (int64, error)) (measurement, error) {
	select {
	case <-m.all:
	case <-ctx.Done():
		return measurement{}, fmt.Errorf("the filter has seen %d of %d messages: %w", m.seen.Load(), m.job.Messages, context.Cause(ctx))
	}
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		n, err := stored(ctx)
		if err != nil {
			return measurement{}, err
		}
		if n >= m.job.Messages {
			return m.stop(n)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return measurement{}, fmt.Errorf("%d of %d outputs are stored: %w", n, m.job.Messages, context.Cause(ctx))
		}
	}
}

const pollEvery = 2 * time.Millisecond

func (m *meter) stop(stored int64) (measurement, error) {
	took, cpu := time.Since(m.begun).Seconds(), cpuSeconds()-m.begunCPU
	var alloc runtime.MemStats
	runtime.ReadMemStats(&alloc)
	if m.profile != nil {
		pprof.StopCPUProfile()
		m.err = errors.Join(m.err, m.profile.Close(), writeAllocs(m.job.Profile))
	}
	return measurement{
		Messages: stored, Seconds: took, CPU: cpu,
		Allocs: alloc.Mallocs - m.begunAlloc.Mallocs,
		Bytes:  alloc.TotalAlloc - m.begunAlloc.TotalAlloc,
		GCs:    alloc.NumGC - m.begunAlloc.NumGC,
	}, m.err
}

// writeAllocs writes the profile of what was allocated beside that of the CPU.
func writeAllocs(cpuProfile string) error {
	f, err := os.Create(strings.TrimSuffix(cpuProfile, ".prof") + "-allocs.prof")
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

// cpuSeconds is what this process has used, user and system.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
