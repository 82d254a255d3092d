package sinks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// sale cannot be encoded where its Sum is not a number.
type sale struct {
	Item string  `json:"item" avro:"item"`
	Sum  float64 `json:"sum" avro:"sum"`
}

func (s sale) MarshalJSON() ([]byte, error) {
	if s.Sum < 0 {
		return nil, errors.New("the sum is below 0")
	}
	type plain sale
	return json.Marshal(plain(s))
}

const saleSchema = `{"type":"record","name":"Sale","fields":[{"name":"item","type":"string"},{"name":"sum","type":"double"}]}`

// sell runs a sink on a batch of sales whose sums are their offsets, from one on.
func sell(t require.TestingT, f pipeline.Filter[sale, pipeline.None], from, to int64) []error {
	p := pipeline.New("shop")
	pipeline.Sink(pipeline.NewPipe[sale](p, "in"), "out", f)
	graph, err := p.Build()
	require.NoError(t, err)
	n := graph.Stages[0]
	require.NoError(t, n.Open(context.Background()))
	size := int(to - from)
	ds, outs, errs := make([]*pipeline.Delivery, size), make([]*pipeline.Outputs, size), make([]error, size)
	for i := range ds {
		ds[i], outs[i] = delivered(fmt.Sprintf(`{"item":"a\nb","sum":%d}`, from+int64(i))), &pipeline.Outputs{}
		ds[i].Offset = from + int64(i)
		ds[i].ID = fmt.Sprint("id.", ds[i].Offset)
	}
	n.Batch.Calls[0](context.Background(), ds, outs, errs)
	return errs
}

// sums reads all files of a folder, sorted by name.
func sums(t require.TestingT, dir string) (all []int64, files int) {
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	slices.Sort(names)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		if strings.HasSuffix(name, ".avro") {
			r, err := goavro.NewOCFReader(strings.NewReader(string(text)))
			require.NoError(t, err)
			require.Equal(t, "deflate", r.CompressionName())
			for r.Scan() {
				v, err := r.Read()
				require.NoError(t, err)
				record, isRecord := v.(map[string]any)
				require.True(t, isRecord)
				require.Equal(t, "a\nb", record["item"])
				all = append(all, int64(record["sum"].(float64)))
			}
			require.NoError(t, r.Err())
			continue
		}
		for line := range strings.Lines(string(text)) {
			var s struct {
				Sum int64 `json:"sum"`
			}
			require.NoError(t, json.Unmarshal([]byte(line), &s), line)
			all = append(all, s.Sum)
		}
	}
	return all, len(names)
}

func formats(dir string) map[string]pipeline.Filter[sale, pipeline.None] {
	return map[string]pipeline.Filter[sale, pipeline.None]{
		"lines": sinks.JSONLines[sale](filepath.Join(dir, "lines"), sinks.RollConfig{}),
		"avro":  sinks.AvroFiles[sale](filepath.Join(dir, "avro"), saleSchema, sinks.RollConfig{}),
	}
}

// Wherever it crashes, and however the batches fall then: every message is in a
// file, in order, and what is there twice is so by whole runs.
func TestFilesHaveEveryMessageOverCrashes(t *testing.T) {
	t.Parallel()
	top, runs := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		dir := filepath.Join(top, strconv.Itoa(runs))
		name := rapid.SampledFrom([]string{"lines", "avro"}).Draw(t, "format")
		sink := formats(dir)[name]
		var committed int64
		end := rapid.Int64Range(1, 20).Draw(t, "messages")
		for at := int64(0); committed < end; {
			next := min(end, at+rapid.Int64Range(1, 10).Draw(t, "batch"))
			for _, err := range sell(t, sink, at, next) {
				require.NoError(t, err)
			}
			if at = next; rapid.Bool().Draw(t, "commits") || at == end {
				committed = at
			} else if rapid.Bool().Draw(t, "crashes") {
				at = committed
			}
		}
		got, _ := sums(t, filepath.Join(dir, name))
		seen := int64(-1)
		for _, n := range got {
			require.LessOrEqual(t, n, seen+1, "a message is missing")
			seen = max(seen, n)
		}
		require.Equal(t, end-1, seen)
	})
}

func TestFilesOfARepeatReplaceThoseBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, sink := range formats(dir) {
		for range 3 {
			sell(t, sink, 5, 15)
		}
		got, files := sums(t, filepath.Join(dir, name))
		require.Equal(t, []int64{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}, got)
		require.Equal(t, 1, files)
	}
	names, err := filepath.Glob(filepath.Join(dir, "lines", "shop.in-2-00000000000000000005-????????.jsonl"))
	require.NoError(t, err)
	require.Len(t, names, 1)
}

func TestWhatHasNoEncodingIsPoisonedAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sink := sinks.JSONLines[sale](dir, sinks.RollConfig{})
	errs := sell(t, sink, -2, 3)
	for i, err := range errs {
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, i < 2, verdict == pipeline.Rejected, "%d: %v", i, err)
	}
	// What was rejected is done again one day. It must not replace the others.
	got, _ := sums(t, dir)
	require.Equal(t, []int64{0, 1, 2}, got)
	names, err := filepath.Glob(filepath.Join(dir, "shop.in-2-00000000000000000000-*"))
	require.NoError(t, err)
	require.Len(t, names, 1, "the file has the name of the first message in it")
}

func TestFilesOfATopicThatWasMadeAnewReplaceNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sink := sinks.JSONLines[sale](dir, sinks.RollConfig{})
	for _, id := range []string{"old.2.7", "new.2.7"} {
		d := delivered(`{"sum":1}`)
		d.ID = id
		_, err := apply(t, sink, d)
		require.NoError(t, err)
	}
	_, files := sums(t, dir)
	require.Equal(t, 2, files)
}

func TestFilesSayHowTheyAreCut(t *testing.T) {
	t.Parallel()
	n := sinkOf(t, sinks.JSONLines[sale](t.TempDir(), sinks.RollConfig{}))
	require.Equal(t, 10_000, n.Batch.Max)
	require.Equal(t, 10*time.Second, n.Batch.Wait)
	n = sinkOf(t, sinks.JSONLines[sale](t.TempDir(), sinks.RollConfig{MostMessages: 5, Wait: time.Minute}))
	require.Equal(t, 5, n.Batch.Max)
	require.Equal(t, time.Minute, n.Batch.Wait)
}

func TestFilesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		sink    pipeline.Filter[sale, pipeline.None]
		verdict pipeline.Verdict
	}{
		"parse Avro schema":     {sinks.AvroFiles[sale](t.TempDir(), `{"type":"recrd"}`, sinks.RollConfig{}), pipeline.Rejected},
		"path is empty":         {sinks.JSONLines[sale]("", sinks.RollConfig{}), pipeline.Again},
		"write sinks_test.sale": {sinks.AvroFiles[sale](t.TempDir(), `"int"`, sinks.RollConfig{}), pipeline.Rejected},
	} {
		err := sinkOf(t, c.sink).Open(t.Context())
		require.ErrorContains(t, err, want)
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, c.verdict, verdict)
	}
}
