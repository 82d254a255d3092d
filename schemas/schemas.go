// Package schemas turns values into bytes and back, and reads and writes what
// travels beside a value: the envelope.
//
// A [Codec] is chosen for each pipe. The [Envelope] is carried in Kafka
// headers with the names that CloudEvents 1.0 gives them in binary mode, so
// that any CloudEvents producer can publish a trigger.
package schemas
