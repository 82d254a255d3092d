package router_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// envelopes are those of a topic's records, and their values.
func envelopes(t testing.TB, addrs []string, topic string) (all []schemas.Envelope, bodies []string) {
	t.Helper()
	require.NoError(t, kafka.ReadTopic(t.Context(), kafka.Config{Brokers: addrs}, topic, func(r *kafka.Record) error {
		var e schemas.Envelope
		value, err := schemas.ReadEnvelope(&e, r.Key, r.Value, r.Headers, nil)
		all, bodies = append(all, e), append(bodies, string(value))
		return err
	}))
	return all, bodies
}

// With an envelope, without one, and with a whole event for a value: the edited
// message has the id that names the old one, and the rest of its envelope.
func TestAnEditedMessageHasAnIDOfItsOwn(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var accept atomic.Bool
	p := failing(&accept)
	r := start(t, addrs, p, router.Config{})
	key := []byte("k")
	brokertest.Produce(t, addrs, "laned.in",
		brokertest.Record{Key: key, Value: []byte("bad")},
		brokertest.Record{Key: key, Value: []byte("bad"), Headers: []brokertest.Header{
			{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte("o-1")}, {Key: "ce_source", Value: []byte("shop")}, {Key: "ce_type", Value: []byte("t")}, {Key: "ce_correlationid", Value: []byte("j-1")}, {Key: "tenant", Value: []byte("blue")},
		}},
		brokertest.Record{Key: key, Value: []byte(`{"specversion":"1.0","id":"o-2","source":"shop","type":"t","correlationid":"j-2","datacontenttype":"application/octet-stream","data_base64":"YmFk"}`), Headers: []brokertest.Header{
			{Key: "content-type", Value: []byte(schemas.ContentTypeStructured)},
		}})
	r.drained()
	log := openPoison(t, addrs)
	replay := func(i int64, value string) router.PoisonResult {
		result, err := log.Replay(t.Context(), router.PoisonSelection{Position: at(i)}, router.PoisonReplayOptions{
			Edit: func(m *router.PoisonMessage) ([]byte, error) {
				if value == "" {
					return m.Value, nil
				}
				return []byte(value), nil
			},
		})
		require.NoError(t, err)
		return result
	}
	own := schemas.RecordID(topicID(t, addrs, "laned.in"), 0, 0)
	event := `{"specversion":"1.0","id":"whatever","source":"shop","type":"t","datacontenttype":"application/octet-stream","data_base64":"Z29vZA=="}`
	for i, value := range []string{"good", "good", event} {
		require.Equal(t, router.PoisonResult{Done: 1}, replay(int64(i), value))
	}
	require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "laned.work")) == 3 }, waitFor, tick)
	out, bodies := envelopes(t, addrs, "laned.work")
	require.Equal(t, []string{"good", "good", "good"}, bodies)
	for i, want := range []struct{ id, job string }{
		{router.EditedID(own, []byte("good")), own},
		{router.EditedID("o-1", []byte("good")), "j-1"},
		{router.EditedID("o-2", []byte(event)), "j-2"},
	} {
		require.Equal(t, want.id, out[i].Parent)
		require.Equal(t, want.job, out[i].Job)
		require.Equal(t, schemas.DeriveID(want.id, "laned.work", 0), out[i].ID)
	}
	require.Equal(t, "o-1~770e607624d68926", router.EditedID("o-1", []byte("good")), "the same for ever")
	_, history, err := log.Message(t.Context(), *at(1))
	require.NoError(t, err)
	require.Equal(t, router.EditedID("o-1", []byte("good")), history[1].Action.ID)
}

// What was not changed in the editor is no edit.
func TestAnEditThatChangesNothingKeepsTheID(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var accept atomic.Bool
	r := start(t, addrs, failing(&accept), router.Config{})
	brokertest.Produce(t, addrs, "laned.in", bad("bad")...)
	r.drained()
	accept.Store(true)
	log := openPoison(t, addrs)
	_, err := log.Replay(t.Context(), router.PoisonSelection{}, router.PoisonReplayOptions{
		Edit: func(*router.PoisonMessage) ([]byte, error) { return nil, nil },
	})
	require.ErrorContains(t, err, "only one message at a time")
	_, err = log.Replay(t.Context(), router.PoisonSelection{Position: at(0)}, router.PoisonReplayOptions{
		Edit: func(m *router.PoisonMessage) ([]byte, error) { return append([]byte(nil), m.Value...), nil },
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "laned.work")) == 1 }, waitFor, tick)
	out, _ := envelopes(t, addrs, "laned.work")
	own := schemas.RecordID(topicID(t, addrs, "laned.in"), 0, 0)
	require.Equal(t, own, out[0].Job)
	require.Equal(t, schemas.DeriveID(own, "laned.work", 0), out[0].ID)
	_, history, err := log.Message(t.Context(), *at(0))
	require.NoError(t, err)
	require.Empty(t, history[1].Action.ID)
}
