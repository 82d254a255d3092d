package schemas

import "context"

// ContentTypeRaw is the content type of the Raw codec.
const ContentTypeRaw = "application/octet-stream"

// Raw is the codec that leaves bytes as they are. It is the default for []byte.
//
// Neither direction copies. What Decode returns is the record itself: change a
// copy of it, never the bytes, because the next attempt and the poison topic
// need them as they came.
func Raw() Codec[[]byte] { return rawCodec{} }

type rawCodec struct{}

func (rawCodec) Encode(v []byte) ([]byte, error) { return v, nil }

func (rawCodec) Decode(_ context.Context, b []byte) ([]byte, error) { return b, nil }

func (rawCodec) ContentType() string { return ContentTypeRaw }
