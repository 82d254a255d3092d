package kafka

import "time"

// longestRest bounds the rest: a transaction must not grow as old as its broker lets it.
const longestRest = time.Second

// pace says when a transaction ends. A broker that takes long to end them is busy, and
// transactions that follow each other at once keep it so: all of a group's numbers
// commit all the time, and each end takes longer the more there are. So between two
// ends passes at least as long as the first of them took, and each transaction has the
// more in it.
type pace struct {
	ended time.Time     // the last transaction
	took  time.Duration // to end it
}

// ending takes down that a transaction has been ended since begun.
func (p *pace) ending(begun time.Time) {
	p.ended = time.Now()
	p.took = min(p.ended.Sub(begun), longestRest)
}

// due is when a transaction that was opened at a time is to end: after the interval, or,
// where somebody waits for it, as soon as it may.
func (p *pace) due(opened time.Time, interval time.Duration, hurry bool) time.Time {
	due := opened
	if !hurry {
		due = opened.Add(interval)
	}
	if rested := p.ended.Add(p.took); rested.After(due) {
		return rested
	}
	return due
}
