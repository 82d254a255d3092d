package pipeline_test

import (
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// A pipe that inherits a codec has no mistake of its own.
var brokenSchema = mistake{
	func(p *pipeline.Pipeline) {
		in := pipeline.NewPipe(p, "in", pipeline.Codec(schemas.Avro[order](`{"type":"record"}`)))
		pipeline.Sink(pipeline.Stage(in, "double", doubled()), "drop", drop())
	},
	[]string{`the Codec of pipe "in" cannot use its schema: Avro codec of pipeline_test.order: `},
}

var schemaOfAnotherType = mistake{
	func(p *pipeline.Pipeline) {
		codec := schemas.Avro[order](`{"type":"record","name":"Order","fields":[{"name":"ID","type":"int"},{"name":"Amount","type":"int"}]}`)
		pipeline.Stage(placed(p), "double", doubled(), pipeline.Codec(codec), pipeline.Open())
	},
	[]string{`the Codec of pipe "double" cannot use its schema: Avro codec: `},
}

var brokenCodecsOutside = mistake{
	func(p *pipeline.Pipeline) {
		in := placed(p)
		uncompared := pipeline.NewOutside("order", schemas.Codec[order](uncomparable{}), nil)
		pipeline.Sink[order](in, "ledger", outsideSink{to: uncompared, topics: []string{"ledger"}})
		codec := schemas.JSONSchema[order](`{"type":"nothing"}`)
		pipeline.Sink[order](in, "books", outsideSink{to: pipeline.NewOutside("order", codec, nil), topics: []string{"books"}})
	},
	[]string{
		`the codec by which sink "ledger" writes outside, pipeline_test.uncomparable, cannot be compared with ==`,
		`the codec by which sink "books" writes outside cannot use its schema: JSON Schema codec of pipeline_test.order: `,
	},
}
