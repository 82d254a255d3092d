// Package kafka is Penstock's transport: a Watermill Subscriber and Publisher
// on sarama. It can be used alone in any Watermill program.
//
// The Subscriber is one member of a consumer group. It hands the router what a
// claim's buffer holds as one message, a [Batch], and commits how far a claim
// is done, never more, from a ledger of what is in flight. The outputs of a
// batch go through its claim to a producer that keeps the order of each
// partition by construction and tells every record's fate; an entry of the
// ledger closes when all outputs that came of it are confirmed. What fails for
// good fences the producer, ends the session and is read again from the
// watermark: nothing is dropped, and order holds.
package kafka
