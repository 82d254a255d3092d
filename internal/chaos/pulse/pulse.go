// Package pulse lets a worker of a chaos run tell what it is at, in a file that both
// it and the run map into memory: it costs the worker nothing to speak of, and what
// was there when the worker was killed stays there.
package pulse

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Pulse is what a worker is at. Its fields may be used from several goroutines and
// processes.
type Pulse struct {
	InFilters  atomic.Int64 // messages in the filters
	TakingOver atomic.Int64 // partitions whose retry logs are being read
}

const size = int(unsafe.Sizeof(Pulse{}))

// Create makes the file, where it is not there yet.
func Create(path string) error {
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		return fmt.Errorf("make a pulse: %w", err)
	}
	return nil
}

// Open maps the file into memory, until the process ends or close is called.
func Open(path string) (p *Pulse, unmap func() error, err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open a pulse: %w", err)
	}
	mapped, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, nil, fmt.Errorf("map pulse %s: %w", path, err)
	}
	return (*Pulse)(unsafe.Pointer(unsafe.SliceData(mapped))), func() error { return syscall.Munmap(mapped) }, nil //nolint:gosec // the memory is as large, aligned to a page, and holds no pointers
}
