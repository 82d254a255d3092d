package kafka

import (
	"fmt"
	"sync"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// MaxMetadata is how many bytes may be committed beside an offset: what brokers
// take by default (offset.metadata.max.bytes).
const MaxMetadata = 4096

// position is where a claim begins, and the metadata that go with its commits.
type position struct {
	mu      sync.Mutex
	known   bool // the rest is
	start   int64
	found   string  // what was committed when the claim began
	current string  // goes with each commit
	version int64   // counts the changes of current
	stored  int64   // the version that was committed last
	waiting []await // in the order of their versions
}

// await is who wants to know that a version was committed.
type await struct {
	version int64
	f       func()
}

// Start is the offset at which the reading of the claim begins: what was
// committed; where nothing was, or a lost range is skipped, where the log
// begins, or ends, as [SubscriberConfig.LostRange] says. It is known before
// OnClaim is called.
func (k *Claim) Start() int64 {
	k.pos.mu.Lock()
	defer k.pos.mu.Unlock()
	return k.pos.start
}

// Metadata is what was committed with the offset when the claim began, empty
// where nothing was. It is known before OnClaim is called.
func (k *Claim) Metadata() string {
	k.pos.mu.Lock()
	defer k.pos.mu.Unlock()
	return k.pos.found
}

// SetMetadata has m go with each commit of the claim from now on. A change is
// committed with the next commit also when the offset has not moved, then with
// the offset as it is; before anything was read that is Start. Until it is
// called the metadata that was found is kept. An error says that m is longer
// than [MaxMetadata].
func (k *Claim) SetMetadata(m string) error {
	if len(m) > MaxMetadata {
		return fmt.Errorf("metadata of %s/%d: %d bytes are more than the %d that brokers take", k.Topic(), k.Partition(), len(m), MaxMetadata)
	}
	k.pos.mu.Lock()
	defer k.pos.mu.Unlock()
	if m != k.pos.current {
		k.pos.current = m
		k.pos.version++
	}
	return nil
}

// OnCommitted calls f once when the metadata that is set now, or what is set
// later, has been committed: at once where it has been already, else from the
// goroutine that commits, which f must not keep. f is never called when the
// claim ends first.
func (k *Claim) OnCommitted(f func()) {
	p := &k.pos
	p.mu.Lock()
	if p.stored < p.version {
		p.waiting = append(p.waiting, await{p.version, f})
		f = nil
	}
	p.mu.Unlock()
	if f != nil {
		f()
	}
}

// begin says where the claim begins and what was committed with that.
func (p *position) begin(start int64, metadata string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known = true
	p.start, p.found, p.current = start, metadata, metadata
}

// isKnown tells whether it was looked up where the claim begins.
func (p *position) isKnown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known
}

// due is what is to be committed of the claim now, if anything is, with the
// version of its metadata. The caller holds the session's commit lock.
func (k *Claim) due() (o client.Offset, version int64, due bool) {
	w, read := k.ledger.watermark()
	k.pos.mu.Lock()
	defer k.pos.mu.Unlock()
	changed := k.pos.stored < k.pos.version
	if !read {
		if !changed || k.ledger.isDead() {
			return client.Offset{}, 0, false
		}
		w = k.pos.start
	}
	// Without the metadata a commit would wipe out what is there.
	o = client.Offset{Topic: k.Topic(), Partition: k.Partition(), Offset: w, Metadata: k.pos.current}
	return o, k.pos.version, changed || w > k.committed
}

// moved takes down what was committed. The caller holds the session's commit
// lock.
func (k *Claim) moved(offset, version int64) {
	k.committed = offset
	p := &k.pos
	p.mu.Lock()
	p.stored = version
	n := 0
	for n < len(p.waiting) && p.waiting[n].version <= version {
		n++
	}
	told := p.waiting[:n:n]
	p.waiting = p.waiting[n:]
	p.mu.Unlock()
	for _, t := range told {
		t.f()
	}
}
