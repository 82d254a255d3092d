package produce_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// The order tests are worth what their checker sees: here the producer breaks
// a rule on purpose, and the checker has to notice.

func TestCheckerSeesAGap(t *testing.T) {
	t.Parallel()
	for _, slice := range sliceSizes {
		t.Run(strconv.Itoa(slice), func(t *testing.T) {
			t.Parallel()
			s, arrived := start(t, slice, (*produce.Producer).BreakGoOn)
			answers(kerr.MessageTooLarge, 1, 0)(t, s)
			s.stream.goesOn(t, 10*partitions*slice)
			s.stream.halt()
			require.NoError(t, s.p.Close(within(t)))
			require.Contains(t, strings.Join(s.stream.violations(readLog(t, s.cluster, s.wire, arrived)), "\n"), "a gap, or out of order")
		})
	}
}

func TestCheckerSeesAFateBeforeTheFence(t *testing.T) {
	t.Parallel()
	for _, slice := range sliceSizes {
		t.Run(strconv.Itoa(slice), func(t *testing.T) {
			t.Parallel()
			s, arrived := start(t, slice, (*produce.Producer).BreakTellFirst)
			answers(kerr.MessageTooLarge, 1, 0)(t, s)
			requireFenced(t, s)
			require.Error(t, s.p.Close(within(t)))
			require.Contains(t, strings.Join(s.stream.violations(readLog(t, s.cluster, s.wire, arrived)), "\n"), "before the fence")
		})
	}
}

// kerrOf is sarama's value for a code.
func kerrOf(e *kerr.Error) sarama.KError { return sarama.KError(e.Code) }
