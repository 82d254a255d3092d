package schemas_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/schemas"
)

// Ids must stay the same from one release to the next: these were computed with
// another implementation of SHA-256.
func TestDeriveIDIsFixed(t *testing.T) {
	t.Parallel()
	require.Equal(t, "E-thLw7HNZuW8qU-ydsvLg", schemas.DeriveID("order-1", "orders.split", 0))
	require.Equal(t, "i5XUbfO3h9AzLgyFTDbKOQ", schemas.DeriveID("order-1", "orders.split", 1))
	require.Equal(t, "id=i5XUbfO3h9AzLgyFTDbKOQ", string(schemas.AppendID([]byte("id="), "order-1", "orders.split", 1)))
}

func TestDeriveIDTellsItsPartsApart(t *testing.T) {
	t.Parallel()
	part := rapid.StringMatching(`[ab\x00]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		type parts struct {
			parent, stage string
			index         int
		}
		draw := func() parts {
			return parts{part.Draw(t, "parent"), part.Draw(t, "stage"), rapid.IntRange(0, 3).Draw(t, "index")}
		}
		a, b := draw(), draw()
		idA := schemas.DeriveID(a.parent, a.stage, a.index)
		idB := schemas.DeriveID(b.parent, b.stage, b.index)
		require.Len(t, idA, 22)
		require.Equal(t, a == b, idA == idB, "%v and %v", a, b)
	})
}

func TestDeriveIDOfLongParents(t *testing.T) {
	t.Parallel()
	long := make([]byte, schemas.MaxAttribute)
	require.NotEqual(t, schemas.DeriveID(string(long), "s", 0), schemas.DeriveID(string(long[1:]), "s", 0))
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	topic := [16]byte{1, 2, 3}
	e := schemas.Envelope{}
	e.Identify(topic, 3, 1042)
	require.Equal(t, "AQIDAAAAAAAAAAAAAAAAAA.3.1042", e.ID)
	require.Equal(t, e.ID, e.Job, "a trigger is the first of its job")

	e = schemas.Envelope{ID: "1"}
	e.Identify(topic, 3, 1042)
	require.Equal(t, schemas.Envelope{ID: "1", Job: "1"}, e)

	e = schemas.Envelope{ID: "1", Job: "2"}
	e.Identify(topic, 3, 1042)
	require.Equal(t, schemas.Envelope{ID: "1", Job: "2"}, e)
}
