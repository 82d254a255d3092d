package pipeline_test

import (
	"context"
	"strings"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// Each pipeline has exactly the mistakes that are named.
// mistake is a declaration and what Build says of it.
type mistake struct {
	declare func(p *pipeline.Pipeline)
	want    []string
}

var mistakes = map[string]mistake{
	"nothing declared": {
		func(*pipeline.Pipeline) {},
		[]string{`pipeline "test" declares nothing; begin with pipeline.Source or pipeline.NewPipe`},
	},
	"two stages of one name": {
		func(p *pipeline.Pipeline) {
			in := placed(p)
			pipeline.Stage(in, "double", doubled(), pipeline.Open())
			pipeline.Stage(in, "double", doubled(), pipeline.Open())
		},
		[]string{`stage "double" is declared already at mistakes_test.go:LINE; give one of them another name`},
	},
	"two sinks of one name": {
		func(p *pipeline.Pipeline) {
			in := placed(p)
			pipeline.Sink(in, "store", drop())
			pipeline.Sink(in, "store", drop())
		},
		[]string{`stage "store" is declared already at mistakes_test.go:LINE; give one of them another name`},
	},
	"two sources of one name": {
		func(p *pipeline.Pipeline) {
			pipeline.Source(p, "placed", orders{}, pipeline.Open())
			pipeline.Source(p, "placed", orders{}, pipeline.Open())
		},
		[]string{`source "placed" is declared already at mistakes_test.go:LINE; give one of them another name`},
	},
	"two pipes of one name": {
		func(p *pipeline.Pipeline) {
			in := placed(p)
			pipeline.Stage(in, "double", doubled(), pipeline.Named("placed"), pipeline.Open())
		},
		[]string{`pipe "placed" is declared already at declare_test.go:LINE; give one of them another name, with pipeline.Named where a stage or source makes it`},
	},
	"a stage and a pipe of one name": {
		func(p *pipeline.Pipeline) {
			pipeline.Stage(placed(p), "placed", doubled(), pipeline.Open())
		},
		[]string{`pipe "placed" is declared already at declare_test.go:LINE; give one`},
	},
	"bad names": {
		func(p *pipeline.Pipeline) {
			pipeline.NewPipe[order](p, "", pipeline.Open())
			pipeline.NewPipe[order](p, "a.b", pipeline.Open())
			pipeline.Source(p, "poison", orders{}, pipeline.Open())
			in := pipeline.NewPipe[order](p, "in")
			pipeline.Stage(in, "größe", doubled(), pipeline.Open())
			pipeline.Stage(in, "ok", doubled(), pipeline.Named("retry"), pipeline.Open())
		},
		[]string{
			`the name "" of a pipe is empty; give it letters, digits, - and _`,
			`the name "a.b" of a pipe has '.' in it; use letters, digits, - and _`,
			`the name "poison" of a source is reserved for the topics of failed messages; use another`,
			`the name "größe" of a stage has 'ö' in it; use letters, digits, - and _`,
			`the name "retry" of a pipe is reserved`,
		},
	},
	"names too long for Kafka": {
		func(p *pipeline.Pipeline) {
			pipeline.Sink(placed(p), strings.Repeat("x", 232), drop()) // test., .retry. and placed make 250
		},
		[]string{`for pipe "placed" has a name of 250 bytes, and Kafka takes 249; shorten the names`},
	},
	"topics that Kafka cannot tell apart": {
		func(p *pipeline.Pipeline) {
			pipeline.Sink(placed(p), "store", drop())
			pipeline.NewPipe[order](p, "store_poison", pipeline.Open())
		},
		[]string{`the topic of the poison of stage "store", test.store.poison, collides with topic test.store_poison: Kafka does not tell . from _; use another name`},
	},
	"pipes that nobody reads": {
		func(p *pipeline.Pipeline) {
			pipeline.Source(p, "placed", orders{})
			pipeline.NewPipe[order](p, "other")
			in := pipeline.NewPipe[order](p, "in")
			pipeline.Stage(in, "double", doubled())
		},
		[]string{
			`pipe "placed" is read by no stage; add one, or mark it with pipeline.Open() if other programs read its topic`,
			`pipe "other" is read by no stage`,
			`pipe "double" is read by no stage`,
		},
	},
	"a branch that nobody reads": {
		func(p *pipeline.Pipeline) {
			route := pipeline.Branch(placed(p), "route")
			pipeline.Sink(route.When("large", isLarge), "ship", drop())
			route.Otherwise("small")
		},
		[]string{`case "small" of branch "route" is read by no stage; add one, or mark it`},
	},
	"a branch without a case": {
		func(p *pipeline.Pipeline) { pipeline.Branch(placed(p), "route") },
		[]string{`branch "route" has no case; add When or Otherwise`},
	},
	"cases after Otherwise": {
		func(p *pipeline.Pipeline) {
			route := pipeline.Branch(placed(p), "route")
			route.Otherwise("rest", pipeline.Open())
			route.When("large", isLarge, pipeline.Open())
			route.Otherwise("more", pipeline.Open())
		},
		[]string{
			`case "large" of branch "route" comes after Otherwise and would get nothing; put it before`,
			`case "more" of branch "route" comes after Otherwise and would get nothing; put it before`,
		},
	},
	"a case without a condition": {
		func(p *pipeline.Pipeline) {
			pipeline.Branch(placed(p), "route").When("large", nil, pipeline.Open())
		},
		[]string{`the condition of case "large" of branch "route" is nil; give it a function, or use Otherwise`},
	},
	"merging too little": {
		func(p *pipeline.Pipeline) {
			in, other := placed(p), pipeline.NewPipe[order](p, "other")
			pipeline.Sink(pipeline.Merge(in), "one", drop())
			pipeline.Sink(pipeline.Merge(in, other, in), "two", drop())
		},
		[]string{
			`Merge of pipe "placed" alone; give it at least two, or leave Merge out`,
			`Merge takes pipe "placed" twice; name it once`,
		},
	},
	"merging unlike codecs": {
		func(p *pipeline.Pipeline) {
			in := pipeline.NewPipe[[]byte](p, "raw")
			other := pipeline.NewPipe(p, "json", pipeline.Codec(schemas.JSON[[]byte]()))
			both := pipeline.Merge(in, other)
			same := pipeline.FilterFunc[[]byte, []byte](func(context.Context, *pipeline.Message[[]byte], *pipeline.Emitter[[]byte]) error { return nil })
			pipeline.Stage(both, "bad", same, pipeline.Open())
			pipeline.Stage(both, "good", same, pipeline.Codec(schemas.Raw()), pipeline.Open())
		},
		[]string{`stage "bad" reads pipes "raw" and "json", which have different codecs; say with pipeline.Codec which one its output has`},
	},
	"a stage that feeds itself": {
		func(p *pipeline.Pipeline) {
			in := placed(p)
			again := pipeline.NewPipe[order](p, "again")
			doubles := pipeline.Stage(pipeline.Merge(in, again), "double", doubled())
			pipeline.Sink(doubles, "loop", toOutlets{again})
		},
		[]string{`stage "double" feeds itself: double → (double) → loop → (again) → double; a job must come to an end, so let one outlet lead elsewhere`},
	},
	"outlets that lead nowhere": {
		func(p *pipeline.Pipeline) {
			in, other := placed(p), pipeline.NewPipe[order](p, "other", pipeline.Open())
			pipeline.Sink(in, "nil", anyOutlets{nil})
			pipeline.Sink(in, "zero", anyOutlets{pipeline.Pipe[order]{}})
			pipeline.Sink(in, "merged", anyOutlets{pipeline.Merge(in, other)})
		},
		[]string{
			`sink "nil" has a zero Pipe among its outlets; give its filter one that NewPipe returned`,
			`sink "zero" has a zero Pipe among its outlets`,
			`sink "merged" has a merged pipe among its outlets; name one of the pipes it was merged of`,
		},
	},
	"pipes of another pipeline": {
		func(p *pipeline.Pipeline) {
			theirs := pipeline.NewPipe[order](pipeline.New("theirs"), "taken")
			in := placed(p)
			pipeline.Sink(pipeline.Merge(in, theirs), "store", drop())
			pipeline.Sink(in, "side", anyOutlets{theirs})
		},
		[]string{
			`Merge takes pipe "taken", which mixes pipelines "test" and "theirs"; keep a pipeline to its own pipes, and let the other declare the topic with NewPipe`,
			`sink "side" has an outlet to pipe "taken", which mixes pipelines "test" and "theirs"`,
		},
	},
	"nil things": {
		func(p *pipeline.Pipeline) {
			in := pipeline.Source[order](p, "placed", nil)
			pipeline.Source(p, "fn", orders(nil), pipeline.Key[order](nil), pipeline.Codec[order](nil), pipeline.Open())
			pipeline.Stage[order, order](in, "none", nil, pipeline.Open())
			pipeline.Stage(in, "func", pipeline.FilterFunc[order, order](nil), pipeline.Open())
			pipeline.Sink(in, "use", drop(), pipeline.Use(nil))
			pipeline.Sink(in, "option", drop(), nil)
			pipeline.Sink(in, "options", drop(), pipeline.Options(nil))
		},
		[]string{
			`source "placed" is nil; give it a Sourcer`,
			`source "fn": Key is nil; give it a function, or leave it out to keep the parent's key`,
			`source "fn": Codec is nil; give it a codec, or leave it out for the default`,
			`stage "none" has a nil filter; give it one`,
			`stage "func" has a nil filter; give it one`,
			`sink "use": middleware 1 of Use is nil; leave it out`,
			`sink "option": option 1 is nil; leave it out`,
			`sink "options": option 1 of Options is nil; leave it out`,
		},
	},
	"values out of range": {
		func(p *pipeline.Pipeline) {
			in := placed(p)
			pipeline.NewPipe[order](p, "other", pipeline.Partitions(0), pipeline.Open())
			pipeline.Sink(in, "lanes0", drop(), pipeline.Lanes(0))
			pipeline.Sink(in, "retry0", drop(), pipeline.Retry(0, pipeline.Backoff{}))
			pipeline.Sink(in, "constant", drop(), pipeline.Retry(2, pipeline.Constant(-1)))
			pipeline.Sink(in, "still", drop(), pipeline.Retry(2, pipeline.Exponential(0, time.Second)))
			pipeline.Sink(in, "swapped", drop(), pipeline.Retry(2, pipeline.Exponential(time.Minute, time.Second)))
			pipeline.Sink(in, "timeout", drop(), pipeline.Timeout(-time.Second))
			pipeline.Sink(in, "batch", batches(0))
		},
		[]string{
			`pipe "other": Partitions(0) is below 1; give it at least 1`,
			`sink "lanes0": Lanes(0) is not between 1 and 4096`,
			`sink "retry0": Retry(0, …) is below 1; the first attempt counts`,
			`sink "constant": Retry: Constant(-1ns) is below 0`,
			`sink "still": Retry: Exponential(0s, 1s) begins with nothing to double; make the first wait longer than 0`,
			`sink "swapped": Retry: Exponential(1m0s, 1s) ends below where it begins; swap them`,
			`sink "timeout": Timeout(-1s) is not above 0; leave it out for no bound`,
			`sink "batch" takes batches of 0 messages and waits 0s for them; it must take at least 1 and wait at least 0`,
		},
	},
	"settings that contradict each other": {
		func(p *pipeline.Pipeline) {
			in := pipeline.NewPipe(p, "in", pipeline.Partitions(3), pipeline.Partitions(4), pipeline.Key(orderID), pipeline.Key(func(order) string { return "" }))
			shared := pipeline.Options(pipeline.Retry(2, pipeline.Constant(1)), pipeline.Timeout(time.Second))
			pipeline.Sink(in, "fine", drop(), shared, pipeline.Timeout(time.Second), pipeline.Retry(2, pipeline.Constant(1)))
			pipeline.Sink(in, "more", drop(), shared, pipeline.Retry(2, pipeline.Constant(2)))
			pipeline.Stage(in, "out", doubled(), pipeline.Named("a"), pipeline.Named("b"), pipeline.Open(), pipeline.Options(pipeline.Open()),
				pipeline.Codec(schemas.JSON[order]()), pipeline.Codec[order](schemas.JSON[order]()))
		},
		[]string{
			`pipe "in": Partitions is given twice with different values; keep one`,
			`pipe "in": Key is given twice with different values; keep one`,
			`sink "more": Retry is given twice with different values; keep one`,
			`stage "out": Named is given twice with different values; keep one`,
		},
	},
	"settings that mean nothing there": {
		func(p *pipeline.Pipeline) {
			in := pipeline.Source(p, "in", orders{}, pipeline.Retry(2, pipeline.Constant(1)), pipeline.Timeout(1))
			pipeline.NewPipe[order](p, "other", pipeline.Use(pass), pipeline.Named("another"), pipeline.Open())
			pipeline.Sink(in, "store", drop(), pipeline.Partitions(3), pipeline.Open(), pipeline.Named("x"))
			pipeline.Sink(in, "laundered", drop(), pipeline.Setting(pipeline.Key(orderID)))
			route := pipeline.Branch(in, "route", pipeline.Named("x"))
			route.When("large", isLarge, pipeline.Open(), pipeline.Timeout(1), pipeline.Named("y"))
			pipeline.Sink(in, "batch", batches(3), pipeline.Use(pass))
		},
		[]string{
			`source "in" runs no filter, so it cannot take Retry and Timeout; move them to the stages that read its pipe`,
			`pipe "other" has no filter, so it cannot take Use; move it to the stages that read the pipe`,
			`pipe "other" already has its name, so it cannot take Named; give it the right one as the second argument`,
			`sink "store" makes no pipe, so it cannot take Named, Open and Partitions; leave them out`,
			`sink "laundered" makes no pipe, so it cannot take Key; leave it out`,
			`branch "route" has no pipe but those of its cases, so it cannot take Named; move it to When or Otherwise`,
			`case "large" of branch "route" runs no filter of its own, so it cannot take Timeout; move it to Branch`,
			`case "large" of branch "route" already has its pipe's name, so it cannot take Named`,
			`sink "batch" takes batches, and middleware goes around single messages, so it cannot take Use; leave it out, or use a filter that takes single messages`,
		},
	},
	"options of another type": {
		func(p *pipeline.Pipeline) {
			key := pipeline.Setting(pipeline.Key(func(l line) string { return l.Order }))
			codec := pipeline.Setting(pipeline.Codec(schemas.JSON[line]()))
			pipeline.NewPipe[order](p, "in", key, codec, pipeline.Open())
		},
		[]string{
			`the Codec of pipe "in" is schemas.jsonCodec[github.com/penstock/penstock/pipeline_test.line], but the pipe carries pipeline_test.order; use a schemas.Codec[pipeline_test.order]`,
			`the Key of pipe "in" is a func(pipeline_test.line) string, but the pipe carries pipeline_test.order; use a func(pipeline_test.order) string`,
		},
	},
	"a codec that cannot be compared": {
		func(p *pipeline.Pipeline) {
			pipeline.NewPipe(p, "in", pipeline.Codec[order](uncomparable{}), pipeline.Open())
		},
		[]string{`the Codec of pipe "in", pipeline_test.uncomparable, cannot be compared with ==; make it a struct of comparable fields or a pointer`},
	},
	"parking and breakers that cannot be": {
		func(p *pipeline.Pipeline) {
			in := placed(p)
			pipeline.Sink(in, "none", drop(), pipeline.Park(0, pipeline.Backoff{}))
			pipeline.Sink(in, "back", drop(), pipeline.Park(3, pipeline.Constant(-1)))
			pipeline.Sink(in, "hold", drop(), pipeline.OnPoison(pipeline.HoldKey))
			pipeline.Sink(in, "policy", drop(), pipeline.Park(1, pipeline.Backoff{}), pipeline.OnPoison(7))
			pipeline.Sink(in, "twice", drop(), pipeline.Park(1, pipeline.Backoff{}), pipeline.Park(2, pipeline.Backoff{}))
			pipeline.Sink(in, "never", drop(), pipeline.Breaker(0, pipeline.Constant(time.Second)))
			pipeline.Sink(in, "restless", drop(), pipeline.Breaker(1, pipeline.Backoff{}))
			pipeline.Sink(in, "late", drop(), pipeline.Retry(3, pipeline.Backoff{}), pipeline.Breaker(4, pipeline.Constant(time.Second)))
		},
		[]string{
			`sink "none": Park(0, …) is below 1; give it at least 1, or leave it out`,
			`sink "back": Park: Constant(-1ns) is below 0`,
			`sink "hold" holds the keys of what is poisoned, which only a stage that parks can; give it pipeline.Park too, or leave OnPoison out`,
			`sink "policy": OnPoison(7) is neither GoOn nor HoldKey`,
			`sink "twice": Park is given twice with different values; keep one`,
			`sink "never": Breaker(0, …) is below 1; give it at least 1, or leave it out`,
			`sink "restless": Breaker: Constant(0s) would probe without a rest; make the wait longer than 0`,
			`sink "late" has Breaker(4, …) and 3 attempts: an outage would poison messages before the breaker opens; let it open after at most 3 failures, or give Retry more attempts`,
		},
	},
	"exactly once where it cannot be": mistakenlyOnce,
	"a stage without output": {
		func(p *pipeline.Pipeline) { pipeline.Stage(placed(p), "store", drop(), pipeline.Open()) },
		[]string{`stage "store" has no output; declare it with pipeline.Sink`},
	},
	"filters that do too much": {
		func(p *pipeline.Pipeline) {
			in := placed(p)
			pipeline.Stage(in, "keyed", rawFilter{}, pipeline.Key(orderID), pipeline.Open())
			pipeline.Sink(in, "both", rawBatches{1})
		},
		[]string{
			`stage "keyed" works on bytes, which its Key cannot read; leave Key out, and let the filter set the key of its outputs`,
			`the filter of sink "both" takes both batches and raw messages; make it do one`,
		},
	},
	"a broken schema":                 brokenSchema,
	"a schema of another type":        schemaOfAnotherType,
	"broken codecs of topics outside": brokenCodecsOutside,
}
