package schemas

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ContentTypeProtobuf is the content type of the Protobuf codec.
const ContentTypeProtobuf = "application/protobuf"

// Protobuf is a codec of protocol buffers. T is a pointer to a generated message,
// as *pb.Order, and its schema is the .proto file that it was generated from.
//
// With a registry it writes the registry's wire format, with the schema's id and
// the message's place in its file, and registers the file, and first the files
// that it imports, as descriptors in base64. Protocol buffers resolve an older
// schema by their field numbers, so reading never asks the registry, but a value
// whose place is not this message's is refused. Without a registry it writes the
// bare message. Both are read.
//
// Two of it are equal only if they are one. It is an [Opener].
func Protobuf[T proto.Message](options ...SchemaOption) Codec[T] {
	c := &protobufCodec[T]{}
	c.subject = schemaSettingsOf(options).subject
	c.err = c.describeMessage()
	return c
}

type protobufCodec[T proto.Message] struct {
	registered

	err     error
	typ     protoreflect.MessageType
	indexes []byte // the place of the message in its file, as it is written
	schema  Schema
}

func (c *protobufCodec[T]) describeMessage() error {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Pointer || !t.Implements(reflect.TypeFor[proto.Message]()) {
		return fmt.Errorf("Protobuf codec of %s: it is not a pointer to a generated message", t)
	}
	var zero T
	descriptor, err := descriptorOf(zero)
	if err != nil {
		return fmt.Errorf("Protobuf codec of %s: %w", t, err)
	}
	c.typ = zero.ProtoReflect().Type()
	c.indexes = appendIndexes(nil, placeOf(descriptor))
	c.schema, err = fileSchema(descriptor.ParentFile(), 0)
	if err != nil {
		return fmt.Errorf("Protobuf codec of %s: %w", t, err)
	}
	return nil
}

// descriptorOf asks a nil message what it is. Generated ones know; one of dynamic
// type panics.
func descriptorOf(m proto.Message) (d protoreflect.MessageDescriptor, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("it is not a generated message")
		}
	}()
	return m.ProtoReflect().Descriptor(), nil
}

// placeOf returns the places of the message and those around it, outermost first.
func placeOf(d protoreflect.MessageDescriptor) []int {
	var place []int
	for {
		place = append(place, d.Index())
		outer, ok := d.Parent().(protoreflect.MessageDescriptor)
		if !ok {
			slices.Reverse(place)
			return place
		}
		d = outer
	}
}

// appendIndexes writes a place: its length and its numbers, or a single 0 for the
// first message of a file.
func appendIndexes(dst []byte, place []int) []byte {
	if len(place) == 1 && place[0] == 0 {
		return append(dst, 0)
	}
	dst = binary.AppendVarint(dst, int64(len(place)))
	for _, i := range place {
		dst = binary.AppendVarint(dst, int64(i))
	}
	return dst
}

// maxImports bounds how deep files import each other.
const maxImports = 64

// fileSchema makes the schema of a file and what it imports. Registries know
// the files of Google's own types.
func fileSchema(file protoreflect.FileDescriptor, depth int) (Schema, error) {
	if depth > maxImports {
		return Schema{}, fmt.Errorf("files import each other more than %d deep", maxImports)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(protodesc.ToFileDescriptorProto(file))
	if err != nil {
		return Schema{}, fmt.Errorf("describe %s: %w", file.Path(), err)
	}
	s := Schema{Type: SchemaProtobuf, Text: base64.StdEncoding.EncodeToString(b)}
	imports := file.Imports()
	for i := range imports.Len() {
		imported := imports.Get(i)
		if strings.HasPrefix(imported.Path(), "google/protobuf/") {
			continue
		}
		schema, err := fileSchema(imported.FileDescriptor, depth+1)
		if err != nil {
			return Schema{}, err
		}
		s.Imports = append(s.Imports, Import{Name: imported.Path(), Schema: schema})
	}
	return s, nil
}

// ContentType returns ContentTypeProtobuf.
func (c *protobufCodec[T]) ContentType() string { return ContentTypeProtobuf }

// Schema returns the file of the message, or why it has none.
func (c *protobufCodec[T]) Schema() (Schema, error) { return c.schema, c.err }

// Open asks the registry for the schema's id.
func (c *protobufCodec[T]) Open(ctx context.Context, o Opening) error {
	if c.err != nil {
		return c.err
	}
	return c.open(ctx, o, c.schema)
}

// Encode writes v. A nil message is an empty one.
func (c *protobufCodec[T]) Encode(v T) ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	var frame []byte
	options := proto.MarshalOptions{Deterministic: true}
	if id := c.schemaID(); id != 0 {
		frame = make([]byte, 0, frameSize+len(c.indexes)+options.Size(v))
		frame = append(appendFrame(frame, id), c.indexes...)
	}
	b, err := options.MarshalAppend(frame, v)
	if err != nil {
		return nil, fmt.Errorf("encode %s as Protobuf: %w", reflect.TypeFor[T](), err)
	}
	if b == nil {
		b = []byte{} // an empty message is not a null value
	}
	return b, nil
}

// Decode reads b.
func (c *protobufCodec[T]) Decode(_ context.Context, b []byte) (T, error) {
	var zero T
	if c.err != nil {
		return zero, c.err
	}
	// No message begins with a 0: there is no field of that number.
	id, body, isFramed, err := readFrame(b)
	if err == nil && isFramed {
		body, err = c.takeIndexes(body)
	}
	if err == nil {
		m := c.typ.New().Interface()
		if err = proto.Unmarshal(body, m); err == nil {
			v, _ := m.(T)
			return v, nil
		}
	}
	how := ""
	if isFramed {
		how = fmt.Sprintf(", written with schema %d and read with %s", id, c.describe())
	}
	return zero, fmt.Errorf("decode Protobuf as %s%s: %w", reflect.TypeFor[T](), how, err)
}

// maxIndexes bounds how deep a message may lie in others.
const maxIndexes = 32

// takeIndexes takes the place of the message off, which must be this message's.
func (c *protobufCodec[T]) takeIndexes(b []byte) ([]byte, error) {
	count, n := binary.Varint(b)
	if n <= 0 || count < 0 || count > maxIndexes {
		return nil, errors.New("the message's place in its file is broken")
	}
	b = b[n:]
	place := []int{0}
	if count > 0 {
		place = place[:0]
	}
	for range count {
		i, n := binary.Varint(b)
		if n <= 0 {
			return nil, errors.New("the message's place in its file is broken")
		}
		place, b = append(place, int(i)), b[n:]
	}
	if own := placeOf(c.typ.Descriptor()); !slices.Equal(place, own) {
		return nil, fmt.Errorf("it is the message at %v of its file, and %s is at %v", place, c.typ.Descriptor().FullName(), own)
	}
	return b, nil
}
