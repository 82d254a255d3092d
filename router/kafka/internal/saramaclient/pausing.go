package saramaclient

// pauser stops and starts the fetching of partitions. sarama's consumer group
// is one.
type pauser interface {
	Pause(partitions map[string][]int32)
	Resume(partitions map[string][]int32)
}

// pausing bounds the bytes that the client fetches ahead of a claim. The client
// counts messages, as many as its channel takes, and so many large ones would
// not fit in memory: while messages are large, a partition is fetched only
// while somebody waits for its next one.
type pausing struct {
	fetch     pauser
	partition map[string][]int32 // the claim's own
	ahead     int                // messages that the client fetches ahead
	average   int                // size of a message, in bytes, moving
	paused    bool
}

// maxAhead is how many bytes may be fetched ahead of a claim. A fetch that is
// under way when the partition is paused comes on top.
const maxAhead = 32 << 20

func newPausing(fetch pauser, topic string, partition int32, ahead int) *pausing {
	return &pausing{fetch: fetch, partition: map[string][]int32{topic: {partition}}, ahead: ahead}
}

// wait is called before a message is waited for.
func (p *pausing) wait() {
	if p.paused {
		p.paused = false
		p.fetch.Resume(p.partition)
	}
}

// took is called with what was taken.
func (p *pausing) took(messages, bytes int) {
	p.average += (bytes/messages - p.average) / 2
	if !p.paused && p.average*p.ahead > maxAhead {
		p.paused = true
		p.fetch.Pause(p.partition)
	}
}
