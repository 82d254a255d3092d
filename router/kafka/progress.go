package kafka

// Progress is how far the work on a claim is.
type Progress struct {
	Done     int64 // the first offset that is not done
	End      int64 // the offset behind the last record, as far as is known
	InFlight int64 // messages that were read and, or one before them, are not done
	Bytes    int64 // of those and their outputs
}

// Behind is how many offsets are not done. Where transactions are used, their
// markers count too until they are passed.
func (p Progress) Behind() int64 { return max(p.End-p.Done, 0) }

// Progress tells how far the work on the claim is. It asks no broker.
func (k *Claim) Progress() Progress {
	p := Progress{Done: k.Start(), End: k.c.HighWatermark()}
	if done, ok := k.ledger.watermark(); ok {
		p.Done = done
	}
	p.InFlight, p.Bytes = k.ledger.inFlight()
	return p
}
