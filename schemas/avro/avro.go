// Package avro turns Go values into Avro's binary form and back.
//
// A [Schema] is parsed once. An [Encoder] and a [Decoder] are compiled once for a
// Go type and its schemas, and then work without looking at types again, except
// for maps. A decoder takes two schemas, the one that the bytes were written with
// and the one that the program knows, and resolves the one to the other by the
// rules of the Avro specification.
//
// # What holds what
//
//	boolean                 bool
//	int, long               any integer type; a value that does not fit is an error
//	float                   float32
//	double                  float64
//	bytes                   []byte
//	string                  a string type, or one that is an encoding.TextMarshaler and TextUnmarshaler
//	enum                    as string
//	fixed                   an array of bytes of that size, or []byte
//	array                   a slice
//	map                     a map with a string type as key
//	record                  a struct
//	null with one type      a pointer; nil is null. A slice or a map can be nil, too
//	a union of more types   a struct with a pointer for each type but null; at most one is not nil
//	timestamp-…             time.Time, in UTC, or an integer. What is finer than the schema's unit is cut off
//	local-timestamp-…       time.Time: the clock on the wall, or an integer
//	date                    time.Time: the day on the wall, or an integer
//	time-…                  time.Duration since midnight, or an integer
//	decimal                 *big.Rat, which must fit scale and precision, or as bytes and fixed
//
// Other logical types are what they annotate.
//
// A field of a struct belongs to the field of the record, or to the type of the
// union, that its avro tag names, or its json tag, or its own name, whatever the
// case. Each needs the other: `avro:"-"` leaves a field out of the record, and a
// field of the record without one in the struct must have a default, which is
// what is written. The fields of an embedded struct count as the struct's own.
package avro
