package pipeline

import "github.com/penstock/penstock/schemas"

// CodecUse is a codec that can use a schema registry, and what for a stage or a
// source has it. What runs them calls its Open with that before anything else.
type CodecUse struct {
	Codec  schemas.Opener
	Topic  string
	Writes bool
}

// Codec returns the pipe's codec where it can use a schema registry, else nil.
func (n *PipeNode) Codec() schemas.Opener {
	o, _ := n.codec.(schemas.Opener)
	return o
}

// Codecs returns the codecs by which the stage reads its inputs, and those by which
// it writes its outputs and the topics outside that are known, where they can use a
// schema registry. A topic that it both reads and writes is there twice.
func (n *StageNode) Codecs() []CodecUse {
	var uses []CodecUse
	for _, p := range n.Inputs {
		uses = p.appendUse(uses, false)
	}
	for _, p := range n.Outputs {
		uses = p.appendUse(uses, true)
	}
	for _, topic := range n.OutsideTopics {
		if n.outsideCodec != nil {
			uses = append(uses, CodecUse{n.outsideCodec, topic, true})
		}
	}
	return uses
}

// Codecs returns the codec of the source's pipe where it can use a schema registry.
// A source that copies a topic takes the values as they are, and writes none.
func (n *SourceNode) Codecs() []CodecUse { return n.Pipe.appendUse(nil, n.CopyOf == "") }

func (n *PipeNode) appendUse(uses []CodecUse, writes bool) []CodecUse {
	if c := n.Codec(); c != nil {
		uses = append(uses, CodecUse{c, n.Topic, writes})
	}
	return uses
}

// checkSchema reports a codec whose schema is wrong: it could neither write nor read
// a value.
func checkSchema(p *Pipeline, at place, what string, codec any) {
	o, ok := codec.(schemas.Opener)
	if !ok {
		return
	}
	if _, err := o.Schema(); err != nil {
		p.problemf(at, "%s cannot use its schema: %v; correct the schema, or the Go type", what, err)
	}
}

// outsideCodecOf returns the codec by which a filter writes to topics outside, where it
// can use a schema registry.
func outsideCodecOf(p *Pipeline, at place, what string, f any) schemas.Opener {
	e, ok := f.(OutsideEncoder)
	if !ok {
		return nil
	}
	codec := e.OutsideCodec()
	if !sameCodec(codec, codec) && codec != nil {
		p.problemf(at, "the codec by which %s writes outside, %T, cannot be compared with ==; make it a struct of comparable fields or a pointer", what, codec)
		return nil
	}
	checkSchema(p, at, "the codec by which "+what+" writes outside", codec)
	o, _ := codec.(schemas.Opener)
	return o
}
