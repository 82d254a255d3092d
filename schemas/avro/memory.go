package avro

import "unsafe"

// Compiled functions know the type that lies behind a pointer by where they were
// compiled, as the compiler does, and reach fields by their offsets. All of that
// goes through the two functions here.

// at returns what p points to as a T.
func at[T any](p unsafe.Pointer) *T { return (*T)(p) }

// inside returns what lies offset bytes behind p, in the same value.
func inside(p unsafe.Pointer, offset uintptr) unsafe.Pointer { return unsafe.Add(p, offset) }
