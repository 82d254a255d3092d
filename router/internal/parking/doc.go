// Package parking has the records of a retry log and the index that they fold
// into: which messages are parked, in which order a key's are, and when the
// next one is to be tried. It does no I/O, starts no goroutine and has no clock:
// who reads and writes the log tells it what is in there, and what time it is.
//
// # Who writes, and who counts
//
// A partition of a retry log has one owner, which is the owner of the input's
// partition, and it has operators, who append REPLAY and DROP whenever they
// like. The owner applies all records, its own ones too, in the order of the log,
// when it reads them. So its index is a fold of the log, like anybody else's.
//
// What the owner writes may come to lie behind an operator's record that it has not
// read, so its records name what they mean:
//
//   - DONE names the messages that are done, one by one. "All up to here" would
//     end a REPLAY that lies below, and that the owner had not heard of.
//   - PARK names the record that it takes the place of (Prev). A copy of a held
//     message that an operator has ended meanwhile has no effect.
//
// Who takes a partition over writes TAKE, whose offset is its epoch. A record whose
// epoch is not in force is void: its writer had lost the partition before it was
// stored. That goes for RESUME, too, by which the new owner drops what the input
// brings again: see there.
package parking
