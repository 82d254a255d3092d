package schemas_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/schemas"
)

// FuzzReadEnvelope holds ReadEnvelope to its promises on whatever a record
// contains: it does not panic, its errors are typed and short, and what it read
// can be written and read again.
func FuzzReadEnvelope(f *testing.F) {
	f.Add("ce_id", "1", "ce_time", "2026-11-22T21:20:00Z", []byte("key"), []byte("{}"))
	f.Add("ce_id", "1", "ce_id", "2", []byte(nil), []byte(nil))
	f.Add("ce_sequence", "-1", "ce_specversion", "1.0", []byte{}, []byte("\xff"))
	f.Add("_watermill_message_uuid", "u", "traceparent", "\xff", []byte("k"), []byte("v"))
	f.Add("content-type", "application/cloudevents+json", "x", "y", []byte("k"),
		[]byte(`{"specversion":"1.0","id":"1","data":{"a":[1]},"extension":true}`))
	f.Add("content-type", "application/cloudevents+json", "", "", []byte("k"),
		[]byte(`{"specversion":"1.0","data_base64":"AP8=","datacontenttype":"application/cloudevents+json"}`))
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string, key, value []byte) {
		var e schemas.Envelope
		_, err := schemas.ReadEnvelope(&e, key, value, headers(name1, value1, name2, value2), nil)
		if err != nil {
			var broken *schemas.EnvelopeError
			require.ErrorAs(t, err, &broken)
			require.Less(t, len(err.Error()), 2*schemas.MaxAttribute)
			return
		}
		if e.Validate() != nil { // the data of an event says that it is an event
			require.Contains(t, e.Validate().Error(), "structured mode")
			return
		}
		hs, _ := schemas.AppendHeaders([]header(nil), nil, &e)
		var again schemas.Envelope
		_, err = schemas.ReadEnvelope(&again, key, value, hs, nil)
		require.NoError(t, err)
		require.Equal(t, e, again)
	})
}
