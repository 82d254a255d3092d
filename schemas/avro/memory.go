package avro

import "unsafe"

// Compiled functions know the type that lies behind a pointer by where they were
// compiled, as the compiler does, and reach fields by their offsets. All of that
// goes through the functions here.

// of returns where v lies.
func of[T any](v *T) unsafe.Pointer { return unsafe.Pointer(v) } //nolint:gosec // functions are compiled for *T

// at returns what p points to as a T.
func at[T any](p unsafe.Pointer) *T { return (*T)(p) }

// octetsAt returns the array of n bytes that p points to.
func octetsAt(p unsafe.Pointer, n int) []byte {
	return unsafe.Slice(at[byte](p), n) //nolint:gosec // the array has n bytes, by its type
}

// inside returns what lies offset bytes behind p, in the same value.
func inside(p unsafe.Pointer, offset uintptr) unsafe.Pointer { return unsafe.Add(p, offset) }
