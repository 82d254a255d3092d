package filters_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

func TestFuncSeesTheMessageAndEmits(t *testing.T) {
	t.Parallel()
	s := stage(t, filters.Func(func(_ context.Context, m *pipeline.Message[int], out *pipeline.Emitter[string]) error {
		for range m.Body {
			out.Emit(m.Key)
		}
		if m.Body == 0 {
			return failed{}
		}
		return nil
	}))
	outs, err := run(t, s, delivery("2"))
	require.NoError(t, err)
	require.Len(t, outs, 2)
	require.Equal(t, `"k"`, string(outs[1].Value))

	_, err = run(t, s, delivery("0"))
	require.Equal(t, failed{}, err)
}
