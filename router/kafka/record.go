package kafka

import "github.com/penstock/penstock/router/kafka/internal/client"

// Header is one header of a record. A key may occur more than once in a
// record; the order of headers is kept.
type Header = client.Header

// Record is a record as it was read from a partition. Nobody may change what
// it points to: the bytes belong to the response they came in. A nil Key means
// that the record has none, an empty one is a key; a nil Value is a tombstone.
type Record = client.Record

// Offset is a committed position: the first offset of a partition that is not
// done yet. -1 means that nothing was committed.
type Offset = client.Offset

// LostRangeError says that records which were still to be read are gone from
// the log. It ends a subscription: going on silently would be a loss.
type LostRangeError = client.LostRangeError
