package checker_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/internal/chaos/checker"
)

// stored draws records of a topic of two partitions, whose offsets have gaps.
func stored(t *rapid.T) (records []checker.Record, seen []checker.Sighting) {
	for p := range int32(2) {
		offset := int64(0)
		for range rapid.IntRange(2, 20).Draw(t, "records") {
			offset += rapid.Int64Range(1, 3).Draw(t, "step")
			r := checker.Record{Partition: p, Offset: offset, Key: "k", Value: rapid.StringN(1, 5, -1).Draw(t, "value")}
			records = append(records, r)
			seen = append(seen, checker.Sighting{Partition: p, Offset: offset, Sum: checker.Sum(r.Key, r.Value, r.Headers)})
		}
	}
	return records, seen
}

func TestBothReadersHaveToSeeTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		records, seen := stored(t)
		require.Empty(t, checker.Compare("a", seen, records))
		at := rapid.IntRange(0, len(records)-1).Draw(t, "at")

		found := checker.Compare("a", slices.Delete(slices.Clone(seen), at, at+1), records)
		require.Len(t, found, 1)
		require.Equal(t, checker.Lost, found[0].Kind)
		require.Equal(t, records[at].Offset, found[0].Offset)

		for name, more := range map[string][]checker.Sighting{
			"seen and gone":       slices.Clone(seen),
			"seen twice":          slices.Insert(slices.Clone(seen), at, seen[at]),
			"seen as another one": slices.Clone(seen),
		} {
			left := records
			switch name {
			case "seen and gone":
				left = slices.Delete(slices.Clone(records), at, at+1)
			case "seen as another one":
				more[at].Sum++
			}
			found := checker.Compare("a", more, left)
			require.Len(t, found, 1, name)
			require.Equal(t, checker.Unaccounted, found[0].Kind, name)
			require.Equal(t, seen[at].Offset, found[0].Offset, name)
		}
	})
}
