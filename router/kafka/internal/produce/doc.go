// Package produce is the ordered batching producer. Its promise: of one output
// partition nothing is stored unless everything enqueued before it was.
//
// It keeps that promise by five rules, not by luck:
//
//  1. One batch of a partition is in flight, ever. The next is sent only after
//     the broker said that the one before is stored. What an unanswered batch
//     can still do after a fence is bounded by that: it is the next in order.
//  2. A retry sends the same bytes with the same producer id, epoch and
//     sequence number, so the broker drops a repeat. A batch is never split,
//     merged or numbered anew.
//  3. The epoch is never bumped while a batch is under way. What cannot be retried, or not in time, fences
//     the whole producer first: its connections are cut and no new ones made.
//     Only then is a fate other than "stored" told.
//  4. Enqueue takes all of a slice or none of it, and never waits for a broker.
//  5. The fate of each output is told once, in order within its partition.
//
// Sarama supplies the metadata, and opens and authenticates connections. Its
// own producers are not used: they go on with the next batch after one has
// failed. Records, batches and produce requests are encoded here: an output once,
// when it is enqueued, at its place in a batch, in memory that is used again.
package produce
