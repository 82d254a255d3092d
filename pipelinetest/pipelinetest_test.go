package pipelinetest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/pipelinetest"
	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/sources"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick")) // sarama's, for ever
}

type order struct{ ID, Customer string }

type line struct{ Order, Item string }

var errAway = errors.New("the price list is away")

// shop splits orders and prices their lines. The price of an item that is in fails
// is away so many times.
func shop(fails map[string]int, settings ...pipeline.Setting) *pipeline.Pipeline {
	p := pipeline.New("shop")
	placed := pipeline.NewPipe(p, "placed", pipeline.Key(func(o order) string { return o.Customer }))
	lines := pipeline.Stage(placed, "split", filters.FlatMap(func(_ context.Context, o order) ([]line, error) {
		switch o.ID {
		case "bad":
			return nil, filters.Reject(errors.New("no such order"))
		case "old":
			return nil, filters.Skip
		}
		return []line{{o.ID, "1"}, {o.ID, "2"}}, nil
	}))
	price := filters.Map(func(_ context.Context, l line) (string, error) {
		if fails[l.Item] > 0 {
			fails[l.Item]--
			return "", errAway
		}
		return l.Order + "/" + l.Item, nil
	})
	options := []pipeline.Option[string]{pipeline.Open()}
	for _, set := range settings {
		options = append(options, set)
	}
	pipeline.Stage(lines, "price", price, options...)
	return p
}

// everywhere runs a test on either engine.
func everywhere(t *testing.T, test func(t *testing.T, opts ...pipelinetest.Option)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t)
	})
	t.Run("broker", func(t *testing.T) {
		t.Parallel()
		test(t, pipelinetest.OnBroker())
	})
}

func TestMessagesGoThroughAllStages(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, opts ...pipelinetest.Option) {
		t.Helper()
		d := pipelinetest.New(t, shop(nil), opts...)
		d.Put("placed", order{"a", "ann"}, order{"bad", "bob"}, order{"old", "cid"}, order{"b", "ann"})
		require.Equal(t, []line{{"a", "1"}, {"a", "2"}, {"b", "1"}, {"b", "2"}}, pipelinetest.Values[line](d, "split"))
		require.Equal(t, []string{"a/1", "a/2", "b/1", "b/2"}, pipelinetest.Values[string](d, "price"))
		require.Equal(t, int64(1), d.Skipped("split"))

		failed := d.Failures("split")
		require.Len(t, failed, 1)
		require.Equal(t, "no such order", failed[0].Last)
		require.Equal(t, 1, failed[0].Attempts)
		require.Equal(t, "bob", failed[0].Key)
		require.JSONEq(t, `{"ID":"bad","Customer":"bob"}`, string(failed[0].Value))
		require.Empty(t, d.Failures("price"))

		first := d.Messages("price")[0]
		require.Equal(t, "ann", first.Key, "the parent's")
		require.NotEmpty(t, first.ID)
		require.NotEqual(t, first.ID, first.Job)
	})
}

func TestAMessageIsTriedAgainWithItsKeyBehindIt(t *testing.T) {
	t.Parallel()
	d := pipelinetest.New(t, shop(map[string]int{"1": 3}, pipeline.Retry(2, pipeline.Constant(time.Second)), pipeline.Park(2, pipeline.Constant(time.Hour))))
	d.Put("placed", order{"a", "ann"}, order{"b", "bob"})
	require.Empty(t, pipelinetest.Values[string](d, "price"), "both heads fail, and what is behind them waits")
	d.Advance(time.Second)
	require.Equal(t, []string{"b/1", "b/2"}, pipelinetest.Values[string](d, "price"), "ann's has failed twice, bob's once")
	d.Advance(time.Hour - time.Nanosecond)
	require.Len(t, pipelinetest.Values[string](d, "price"), 2)
	d.Put("placed", order{"c", "cid"})
	d.Advance(time.Nanosecond)
	require.Equal(t, []string{"b/1", "b/2", "c/1", "c/2", "a/1", "a/2"}, pipelinetest.Values[string](d, "price"))
}

func TestDrainWaitsForAllAttempts(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, opts ...pipelinetest.Option) {
		t.Helper()
		fails := map[string]int{"2": 4}
		d := pipelinetest.New(t, shop(fails, pipeline.Retry(2, pipeline.Constant(time.Second)), pipeline.Park(2, pipeline.Constant(time.Hour))), opts...)
		d.Put("placed", order{"a", "ann"})
		d.Drain()
		require.Equal(t, []string{"a/1"}, pipelinetest.Values[string](d, "price"))
		failed := d.Failures("price")
		require.Len(t, failed, 1)
		require.Equal(t, 4, failed[0].Attempts)
		require.Equal(t, errAway.Error(), failed[0].First)
		d.Put("placed", order{"b", "ann"})
		require.Equal(t, []string{"a/1", "b/1", "b/2"}, pipelinetest.Values[string](d, "price"), "the key goes on")
	})
}

func TestAPoisonedMessageHoldsItsKey(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, opts ...pipelinetest.Option) {
		t.Helper()
		d := pipelinetest.New(t, shop(map[string]int{"1": 2}, pipeline.Retry(1, pipeline.Backoff{}), pipeline.Park(1, pipeline.Constant(time.Hour)), pipeline.OnPoison(pipeline.HoldKey)), opts...)
		d.Put("placed", order{"a", "ann"})
		d.Drain()
		d.Put("placed", order{"b", "bob"})
		d.Drain()
		require.Equal(t, []string{"b/1", "b/2"}, pipelinetest.Values[string](d, "price"), "ann's waits for an operator")
		require.Len(t, d.Failures("price"), 1)
	})
}

func TestRecordsOfAnybody(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, opts ...pipelinetest.Option) {
		t.Helper()
		d := pipelinetest.New(t, shop(nil), opts...)
		d.PutRecord("placed", []byte("k"), []byte("no JSON"))
		d.PutRecord("placed", nil, []byte(`{"ID":"a"}`), schemas.Header{Name: "ce_sequence", Value: []byte("x")})
		failed := d.Failures("split")
		require.Len(t, failed, 2)
		require.Contains(t, failed[1].Last, "ce_sequence")
		require.Equal(t, "no JSON", string(failed[0].Value))
		require.Empty(t, pipelinetest.Values[line](d, "split"))
	})
}

func TestOneStageAlone(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, opts ...pipelinetest.Option) {
		t.Helper()
		d := pipelinetest.New(t, shop(nil), append(opts, pipelinetest.Stage("price"))...)
		d.Put("placed", order{"a", "ann"})
		d.Put("split", line{"x", "1"})
		require.Equal(t, []string{"x/1"}, pipelinetest.Values[string](d, "price"))
	})
}

func TestABatchFailsMessageByMessage(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, opts ...pipelinetest.Option) {
		t.Helper()
		p := pipeline.New("store")
		in := pipeline.NewPipe[string](p, "in")
		tried := map[string]int{}
		pipeline.Stage(in, "upper", upper{tried}, pipeline.Retry(2, pipeline.Constant(time.Minute)), pipeline.Open())
		d := pipelinetest.New(t, p, opts...)
		d.Put("in", "a", "once", "never", "b")
		d.Drain()
		require.ElementsMatch(t, []string{"A", "B", "ONCE"}, pipelinetest.Values[string](d, "upper"))
		failed := d.Failures("upper")
		require.Len(t, failed, 1)
		require.Equal(t, 2, failed[0].Attempts)
	})
}

// upper is a filter that takes batches, and fails for some of their messages.
type upper struct{ tried map[string]int }

func (upper) Batch() (int, time.Duration) { return 3, time.Millisecond }

func (upper) Filter(context.Context, *pipeline.Message[string], *pipeline.Emitter[string]) error {
	return errors.New("called with one message")
}

func (u upper) FilterBatch(_ context.Context, items []pipeline.Item[string, string]) error {
	for _, it := range items {
		u.tried[it.Body]++
		if it.Body == "never" || it.Body == "once" && u.tried[it.Body] == 1 {
			it.Fail(fmt.Errorf("%s fails", it.Body))
			continue
		}
		it.Out.Emit(strings.ToUpper(it.Body))
	}
	return nil
}

func TestSourcesRunWhenTold(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, opts ...pipelinetest.Option) {
		t.Helper()
		p := pipeline.New("web")
		placed := pipeline.Source(p, "placed", sources.HTTP[order]("POST /orders"), pipeline.Key(func(o order) string { return o.Customer }))
		listed := pipeline.Source(p, "listed", sources.Func(func(ctx context.Context, emit pipeline.Emit[order]) error {
			return emit(ctx, pipeline.Trigger[order]{Body: order{ID: "l"}, ID: "1"})
		}))
		pipeline.Stage(pipeline.Merge(placed, listed), "ids", filters.Map(func(_ context.Context, o order) (string, error) { return o.ID, nil }), pipeline.Open())
		d := pipelinetest.New(t, p, opts...)
		require.NoError(t, d.RunSource(t.Context(), "listed"))
		for range 2 {
			answer := httptest.NewRecorder()
			d.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader(`{"ID":"w"}`)))
			require.Equal(t, http.StatusAccepted, answer.Code, answer.Body)
		}
		require.ElementsMatch(t, []string{"l", "w", "w"}, pipelinetest.Values[string](d, "ids"))
	})
}

// fake is a testing.TB that notes how it failed.
type fake struct {
	testing.TB

	said string
}

type stop struct{}

func (f *fake) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	panic(stop{})
}

func (f *fake) Helper() {}

func TestMistakesOfATestSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, use := range map[string]func(f *fake){
		`pipeline shop has no pipe "plced"; it has ["placed" "split" "price"]`:  func(f *fake) { pipelinetest.New(f, shop(nil)).Put("plced", order{}) },
		`pipeline shop has no stage "spilt"; it has ["split" "price"]`:          func(f *fake) { pipelinetest.New(f, shop(nil), pipelinetest.Stage("spilt")) },
		`value 1 of 1: pipe placed carries pipelinetest_test.order, not string`: func(f *fake) { pipelinetest.New(f, shop(nil)).Put("placed", "a") },
		`pipe placed is of pipelinetest_test.order, not of pipelinetest_test.line`: func(f *fake) {
			d := pipelinetest.New(f, shop(nil))
			d.Put("placed", order{})
			pipelinetest.Values[line](d, "placed")
		},
	} {
		f := &fake{TB: t}
		func() {
			defer func() {
				if v := recover(); v != nil && v != any(stop{}) {
					panic(v)
				}
			}()
			use(f)
		}()
		require.Contains(t, f.said, want)
	}
}
