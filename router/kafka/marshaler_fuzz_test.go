package kafka_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/kafka"
)

// FuzzUnmarshal reads records with any headers: of a name that occurs twice the last
// value counts, and what is read is written so that it reads the same.
func FuzzUnmarshal(f *testing.F) {
	f.Add(kafka.UUIDHeader, []byte("u"), "name", []byte("content"), []byte("payload"))
	f.Add("ce_id", []byte("1"), kafka.UUIDHeader, []byte{}, []byte(nil))
	f.Add("ce_id", []byte("1"), "ce_id", []byte("\xff"), []byte{})
	f.Add("", []byte(nil), "", []byte("x"), []byte("payload"))
	f.Fuzz(func(t *testing.T, name1 string, value1 []byte, name2 string, value2, payload []byte) {
		r := &kafka.Record{Value: payload, Headers: []kafka.Header{{Key: []byte(name1), Value: value1}, {Key: []byte(name2), Value: value2}}}
		m, err := kafka.DefaultMarshaler{}.Unmarshal(r)
		require.NoError(t, err)
		require.LessOrEqual(t, len(m.Metadata), len(r.Headers))
		if name2 == kafka.UUIDHeader && len(value2) > 0 {
			require.Equal(t, string(value2), m.UUID)
		} else if name2 != kafka.UUIDHeader {
			require.Equal(t, string(value2), m.Metadata.Get(name2))
		}

		out, err := kafka.DefaultMarshaler{}.Marshal("t", m)
		require.NoError(t, err)
		require.Equal(t, payload, out.Value)
		again, err := kafka.DefaultMarshaler{}.Unmarshal(&kafka.Record{Value: out.Value, Headers: out.Headers})
		require.NoError(t, err)
		require.Equal(t, m.UUID, again.UUID)
		require.Equal(t, m.Metadata, again.Metadata)
		require.Equal(t, m.Payload, again.Payload)
	})
}
