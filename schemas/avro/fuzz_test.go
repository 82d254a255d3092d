package avro_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/schemas/avro"
)

// FuzzDecode holds a decoder to what it promises on any bytes: no panic, short
// errors, and what it reads is what it writes again, and what goavro reads.
func FuzzDecode(f *testing.F) {
	encoder, decoder := newCodec[every](f, everySchema)
	for _, v := range []every{
		{Color: "RED", Table: map[string]uint32{"a": 1}, Next: &every{Color: "GREEN"}},
		{Color: "GREEN", Maybe: new("x"), Late: new(int8(3)), Maybes: []int64{1}, Choice: &choice{Point: &point{1, 2}}, Points: []point{{}}},
	} {
		b, err := encoder.Append(nil, &v)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v every
		if err := decoder.Decode(b, &v); err != nil {
			require.Less(t, len(err.Error()), 1000)
			return
		}
		again, err := encoder.Append(nil, &v)
		require.NoError(t, err)
		var same every
		require.NoError(t, decoder.Decode(again, &same))
		_, err = encoder.Append(nil, &same)
		require.NoError(t, err)
	})
}

// FuzzParse holds Parse to what it promises on any schema: no panic, and the
// canonical form of a canonical form is itself. A schema can be resolved with
// itself, whatever it says.
func FuzzParse(f *testing.F) {
	f.Add(everySchema)
	f.Add(logicalSchema)
	f.Add(`["null","string",{"type":"enum","name":"E","symbols":["A"],"default":"A"}]`)
	f.Add(`{"type":"record","name":"a.R","aliases":["b"],"fields":[{"name":"r","type":["null","R"],"default":null,"aliases":["q"]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := avro.Parse(text)
		if err != nil {
			return
		}
		_, _ = avro.NewDecoder[every](s, s)
		again, err := avro.Parse(s.Canonical())
		require.NoError(t, err)
		require.Equal(t, s.Canonical(), again.Canonical())
		require.Equal(t, s.Fingerprint(), again.Fingerprint())
	})
}
