package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func output(key int, seq int64) *kgo.Record {
	k := keyName(key)
	return &kgo.Record{Topic: "t", Key: k, Value: worked(valueOf(k, seq)), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("12345")}}}
}

func checked(t *testing.T, records ...*kgo.Record) *checker {
	t.Helper()
	c := newChecker()
	for _, r := range records {
		require.NoError(t, c.add(r))
	}
	return c
}

func TestTheCheckerTakesWhatIsRight(t *testing.T) {
	t.Parallel()
	c := checked(t, output(0, 0), output(1, 0), output(0, 1))
	require.NoError(t, c.whole(3, 2))
	require.Equal(t, int64(3*(len("key-000000")+valueBytes+len("h12345"))), c.bytes)
}

func TestTheCheckerRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := checked(t, output(0, 0), output(0, 1))
	require.ErrorContains(t, c.add(output(0, 1)), "sequence 1 where 2", "repeated")
	require.ErrorContains(t, c.add(output(0, 3)), "sequence 3 where 2", "out of order, or the one before is lost")
	require.ErrorContains(t, c.whole(3, 1), "2 messages of 3")
	require.ErrorContains(t, c.whole(1, 1), "2 messages of 1")

	same := output(0, 2)
	same.Value = valueOf(same.Key, 2)
	require.ErrorContains(t, c.add(same), "not what the filter made")
	short := output(0, 2)
	short.Value = short.Value[:100]
	require.ErrorContains(t, c.add(short), "not what the filter made")
	other := output(0, 2)
	other.Key = keyName(1)
	require.ErrorContains(t, c.add(other), "not one of key")
}
