// Package kafkatest connects tests to a real Kafka.
//
// Its functions, and the tests that use them, carry the build tag kafka; they
// are run by `make test-kafka`, which starts a broker for them and says by
// environment variables where it is. A test that asks for the broker where
// there is none fails: it is never skipped, and never meets the embedded broker
// by mistake.
package kafkatest
