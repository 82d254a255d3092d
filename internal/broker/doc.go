// Package broker runs the embedded broker: a cluster that speaks the Kafka
// protocol inside this process (kfake), for development and tests. It lets a
// program run with nothing installed; it does not replace a Kafka.
//
// # What is kept
//
// With a data directory, what was acknowledged survives Close and the death of
// the process by any signal, SIGKILL in the middle of a write included: records
// and their order, topics with their configs and partition counts, committed
// offsets, transactional ids. A power cut or a crash of the operating system
// can take what it had not yet written to the disk, unless Config.SyncWrites
// is set.
//
// After Close and Start members of a consumer group find themselves still in
// it when their session has not run out, and an idempotent producer goes on
// where it was. After the death of the process groups have their committed
// offsets and no members: members join again. A batch that was stored but not
// acknowledged before the death is stored a second time when its producer
// repeats it.
//
// # What differs from a Kafka
//
//   - One goroutine serves all requests. Absolute figures mean nothing.
//   - There is one copy of each partition, whatever the number of brokers.
//   - A transaction that was open when the process died is aborted. With exactly
//     once, use a real Kafka for tests of crashes of the broker.
//   - Logs are not compacted: kfake rewrites a log in place to compact it, and
//     a death in the middle would lose it. A topic with cleanup.policy=compact
//     keeps all its records.
//   - retention.bytes is stored and told, and not obeyed; retention.ms is. In
//     memory neither is.
//   - message.timestamp.type=LogAppendTime is stored and told, and not obeyed:
//     the producer's timestamps stay.
//   - After a death without Close, records that DeleteRecords or retention took
//     away can show again, up to a segment of them a partition.
//   - Offsets of idle groups are kept for a year, not for a week: an embedded
//     broker is off most of the time.
//
// Records are on disk, and in memory there are about 100 bytes a batch. Start
// reads the logs once: after Close a segment of 32 MiB a partition at a time,
// after a death the whole of them at once. Without a data directory everything
// is in memory.
package broker
