// Command benchmarks measures how fast a stage moves messages, beside what one
// would write without it: the stock parts of Watermill, sarama by hand, franz-go
// by hand. It is a module of its own, so that these peers stay out of the
// framework's go.mod. `make bench` runs it; docs/performance.md explains it.
//
// One program has three roles. Without an argument it is the harness: it starts
// the brokers, fills the input topics, runs the contestants in turn, checks what
// they wrote and prints the figures. With "contestant" it is one contestant for
// one run, in a process of its own, and with "broker" the embedded broker.
//
// To add a contestant: a file with a function of type contestant, and a line in
// the table in contestant.go. To add a case: a line in the table in case.go.
package main
