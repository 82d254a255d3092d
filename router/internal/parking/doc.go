// Package parking has the records of a retry log and the index that they fold
// into: which messages are parked, in which order a key's are, and when the
// next one is to be tried. It does no I/O, starts no goroutine and has no clock:
// who reads and writes the log tells it what is in there, and what time it is.
//
// # Two writers
//
// A partition of a retry log has one owner, which is the owner of the input's
// partition, and it has operators, who append REPLAY and DROP whenever they
// like. The owner applies its own records to its index once they are confirmed,
// and those of operators when its tail of the log brings them: later, perhaps,
// than own ones with higher offsets. A fresh fold meets all of them in the order
// of the log. (Never earlier: the tail waits at an own record until that is
// applied.) Both must come to the same state, so each rule that an operator's
// record takes part in compares offsets and not the time at which it is heard:
//
//   - DONE names the messages that are done, one by one. "All up to here" would
//     end a REPLAY that lies below, and that the owner had not heard of.
//   - A message is released, by REPLAY or DROP, only when its PARK that holds it
//     lies below the operator's record.
//   - PARK names the record that it takes the place of (Prev). A copy of a held
//     message that an operator has ended meanwhile ends there.
//   - A REPLAY that is heard after its message's DONE, and lies below it, was
//     asked for while the replay was still pending: it is nothing new.
//
// A record whose epoch is not in force is void: its writer had lost the
// partition before it was stored.
package parking
