// Package client is the seam between the transport and the Kafka client under
// it. The transport needs four things of a client: claims of a consumer group,
// commits of their offsets, a producer that keeps order and tells every
// record's fate, and transactions. What implements them is the transport's
// business alone: nothing above it sees this package.
package client
