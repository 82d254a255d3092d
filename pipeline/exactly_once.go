package pipeline

import "time"

// ExactlyOnce has each message's effects in Kafka happen once: what a stage makes
// of its messages (outputs, poison, what it parks) and how far it is are one Kafka
// transaction. Who reads its outputs reads committed records, as every stage does;
// other programs set isolation.level to read_committed.
//
// It costs latency: outputs can be read when their transaction ends, see
// [CommitEvery]. Calls of a filter to what is outside of Kafka are made again after
// a crash, as ever. So a sink cannot take it, unless its filter has outlets or
// writes to topics outside. Defaults to at least once.
//
// Outputs are sent in the order of the inputs, so those of messages that are done
// wait in memory for the ones before them. A message that keeps too many waiting is
// parked: one that waits for its next attempt at once, and one that is at work has
// its context cancelled first, which counts as no attempt. A filter that does not
// heed its context makes its partition wait.
func ExactlyOnce() Setting {
	return func(s *Settings) {
		s.give(optExactlyOnce, true)
		s.exactlyOnce = true
	}
}

// CommitEvery says when a stage with [ExactlyOnce] ends a transaction: after the
// interval, which may be up to 5 s, or so many messages of a partition, whatever
// comes first. Readers see the outputs then. Defaults to 100 ms and 10,000 messages.
func CommitEvery(interval time.Duration, messages int) Setting {
	return func(s *Settings) {
		if interval <= 0 || interval > longestCommit {
			s.wrongf("CommitEvery(%v, …) is not above 0 and up to %v", interval, longestCommit)
		}
		if messages < 1 {
			s.wrongf("CommitEvery(…, %d) is below 1; give it at least 1", messages)
		}
		s.give(optCommitEvery, s.commitInterval == interval && s.commitMessages == messages)
		s.commitInterval, s.commitMessages = interval, messages
	}
}

// Brokers give up a transaction that lasts longer than 10 s: half of that leaves time
// to send what is in it.
const longestCommit = 5 * time.Second

const (
	defaultCommitInterval = 100 * time.Millisecond
	defaultCommitMessages = 10_000
)

// exactly completes the node with what its settings say of transactions.
func (n *StageNode) exactly(p *Pipeline, what string, set *Settings) {
	if !set.exactlyOnce {
		set.refuse(p, n.at, what+" is at least once", "leave IT out, or give it pipeline.ExactlyOnce too", optCommitEvery)
		return
	}
	n.ExactlyOnce = true
	n.CommitInterval, n.CommitMessages = set.commitInterval, set.commitMessages
	if !set.has(optCommitEvery) {
		n.CommitInterval, n.CommitMessages = defaultCommitInterval, defaultCommitMessages
	}
}

// sinksExactly refuses transactions for a sink that has nothing to put into them.
func (n *StageNode) sinksExactly(p *Pipeline, what string) {
	if _, outside := n.filter.(OutsideWriter); n.ExactlyOnce && len(n.Outputs) == 0 && !outside {
		p.problemf(n.at, "%s has no output in Kafka, and nothing else can be kept from being done twice by ExactlyOnce; leave it out, and have the message's id make what is done outside harmless when it is repeated", what)
	}
}
