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
// Groups find their committed offsets again, and their members join again.
// After Close an idempotent producer goes on where it was, and an open
// transaction can be committed. After a death a batch that was stored and not
// acknowledged is stored a second time when its producer repeats it.
//
// A broker that cannot write any more, as on a full disk, stops at once: see
// Broker.Wait.
//
// # What differs from a Kafka
//
//   - One goroutine serves all requests. Absolute figures mean nothing.
//   - There is one copy of each partition, whatever the number of brokers.
//   - A transaction that was open when the process died is aborted without a
//     marker in the log. Use a real Kafka where exactly once has to stand the
//     death of a broker.
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
//   - The offsets of a group that nobody knows are answered with
//     GROUP_ID_NOT_FOUND; a Kafka answers that there are none.
//
// # What it costs
//
// Records are on disk; in memory there are about 100 bytes a batch. Start reads
// the logs once: after Close one file of 16 MiB a partition at a time, after a
// death all files of the partitions that were written to at once. With 1 GB in
// four partitions the process then takes 0.2 and 1.1 GB. Without a data
// directory everything is in memory.
//
// A directory costs a producer a tenth of the rate that it has in memory.
// Config.SyncWrites costs a third of that where batches are large; a single
// record then waits ten to fifteen times as long.
package broker
