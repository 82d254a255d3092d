// Package saramaclient implements the consuming half of the seam in package
// client on sarama: membership and assignments by sarama's consumer group,
// reading by fetches on connections that no heartbeat waits behind, commits by
// requests of our own, because sarama's offset manager hides the commit's outcome
// and its metadata.
package saramaclient
