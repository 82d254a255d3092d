package pipeline_test

import (
	"time"

	"github.com/penstock/penstock/pipeline"
)

var mistakenlyOnce = mistake{
	func(p *pipeline.Pipeline) {
		in, side := placed(p), pipeline.NewPipe[order](p, "side", pipeline.Open())
		pipeline.Sink(in, "store", drop(), pipeline.ExactlyOnce())
		pipeline.Sink(in, "fine", toOutlets{side}, pipeline.ExactlyOnce(), pipeline.CommitEvery(time.Second, 1))
		pipeline.Branch(in, "route", pipeline.ExactlyOnce()).Otherwise("rest", pipeline.Open())
		pipeline.Stage(in, "plain", doubled(), pipeline.CommitEvery(time.Second, 10), pipeline.Open())
		pipeline.Stage(in, "never", doubled(), pipeline.ExactlyOnce(), pipeline.CommitEvery(0, 0), pipeline.Open())
		pipeline.Stage(in, "late", doubled(), pipeline.ExactlyOnce(), pipeline.CommitEvery(6*time.Second, 10), pipeline.Open())
		pipeline.Stage(in, "twice", doubled(), pipeline.ExactlyOnce(),
			pipeline.CommitEvery(time.Second, 10), pipeline.CommitEvery(time.Second, 11), pipeline.Open())
		pipeline.NewPipe[order](p, "pipe", pipeline.ExactlyOnce(), pipeline.Open())
	},
	[]string{
		`sink "store" has no output in Kafka, and nothing else can be kept from being done twice by ExactlyOnce; leave it out, and have the message's id make what is done outside harmless when it is repeated`,
		`stage "plain" is at least once, so it cannot take CommitEvery; leave it out, or give it pipeline.ExactlyOnce too`,
		`stage "never": CommitEvery(0s, …) is not above 0 and up to 5s`,
		`stage "never": CommitEvery(…, 0) is below 1; give it at least 1`,
		`stage "late": CommitEvery(6s, …) is not above 0 and up to 5s`,
		`stage "twice": CommitEvery is given twice with different values; keep one`,
		`pipe "pipe" has no filter, so it cannot take ExactlyOnce; move it to the stages that read the pipe`,
	},
}
