package schemas

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// ContentTypeJSON is the content type of the JSON codec.
const ContentTypeJSON = "application/json"

// JSON is the codec of encoding/json. It is the default for every type but
// []byte. A value with anything after it but white space is refused, and an
// error names the field where encoding/json knows it.
func JSON[T any]() Codec[T] { return jsonCodec[T]{} }

type jsonCodec[T any] struct{}

func (jsonCodec[T]) Encode(v T) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s as JSON: %w", reflect.TypeFor[T](), err)
	}
	return b, nil
}

func (jsonCodec[T]) Decode(_ context.Context, b []byte) (T, error) {
	var v T
	if len(b) == 0 {
		return v, fmt.Errorf("decode JSON as %s: the value is empty", reflect.TypeFor[T]())
	}
	if err := json.Unmarshal(b, &v); err != nil {
		var zero T // json.Unmarshal leaves what it read before the error
		return zero, fmt.Errorf("decode JSON as %s: %w%s", reflect.TypeFor[T](), short(err), offset(err))
	}
	return v, nil
}

func (jsonCodec[T]) ContentType() string { return ContentTypeJSON }

// short keeps a json.UnmarshalTypeError from repeating a whole number, however long it
// is.
func short(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		cause := *wrong
		cause.Value = cut(cause.Value, maxQuoted)
		return &cause
	}
	return err
}

// offset says where the bytes are broken, which a json.SyntaxError knows and
// keeps to itself.
func offset(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf(" (at byte %d)", syntax.Offset)
	}
	return ""
}
