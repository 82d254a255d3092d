package pipeline_test

import (
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// A pipe that inherits a codec has no mistake of its own.
func brokenSchema(p *pipeline.Pipeline) {
	in := pipeline.NewPipe(p, "in", pipeline.Codec(schemas.Avro[order](`{"type":"record"}`)))
	pipeline.Sink(pipeline.Stage(in, "double", doubled()), "drop", drop())
}

func schemaOfAnotherType(p *pipeline.Pipeline) {
	codec := schemas.Avro[order](`{"type":"record","name":"Order","fields":[{"name":"ID","type":"int"},{"name":"Amount","type":"int"}]}`)
	pipeline.Stage(placed(p), "double", doubled(), pipeline.Codec(codec), pipeline.Open())
}

func brokenCodecsOutside(p *pipeline.Pipeline) {
	in := placed(p)
	pipeline.Sink[order](in, "ledger", outsideSink{to: pipeline.NewOutside("order", schemas.Codec[order](uncomparable{}), nil), topics: []string{"ledger"}})
	codec := schemas.JSONSchema[order](`{"type":"nothing"}`)
	pipeline.Sink[order](in, "books", outsideSink{to: pipeline.NewOutside("order", codec, nil), topics: []string{"books"}})
}
