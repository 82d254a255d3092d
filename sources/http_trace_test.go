package sources_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
)

// A trigger is put in the trace that its request is of. A header that is none is
// passed over: who calls is answered all the same.
func TestHTTPPutsATriggerInTheTraceOfItsRequest(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01": "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331 01",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00": "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331 00",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": "",
		"gibberish": "",
	} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			var came trace.SpanContext
			s := &store{wait: func(ctx context.Context) error {
				came = trace.SpanContextFromContext(ctx)
				return nil
			}}
			h, _ := accepting[order](t, s)
			w, _ := post(t, h, `{"customer":"ann"}`, "Traceparent", header)
			require.Equal(t, http.StatusAccepted, w.Code)
			if want == "" {
				require.False(t, came.IsValid())
				return
			}
			require.True(t, came.IsRemote())
			require.Equal(t, want, came.TraceID().String()+" "+came.SpanID().String()+" "+came.TraceFlags().String())
		})
	}
}
