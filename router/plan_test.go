package router_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/sinks"
)

// A retry log is as its pipe is, not as it was declared: a partition without one
// could not be read, and one that takes less could lose messages.
func TestRetryLogsFollowTheirPipes(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	admin, err := kafka.NewAdmin(t.Context(), kafka.Config{Brokers: addrs})
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	p := pipeline.New("grow")
	in := pipeline.NewPipe[string](p, "in", pipeline.Partitions(4))
	pipeline.Sink(in, "work", sinks.Func(func(context.Context, string) error { return nil }))
	g, err := p.Build()
	require.NoError(t, err)
	plan := func() map[string]router.Change {
		changes, err := router.Plan(t.Context(), admin, router.Topics(router.TopicOptions{}, g))
		require.NoError(t, err)
		byName := map[string]router.Change{}
		for _, c := range changes {
			byName[c.Name] = c
		}
		return byName
	}

	require.NoError(t, admin.Create(t.Context(), kafka.NewTopic{Name: "grow.in", Partitions: 6, Replication: 1, Configs: map[string]string{"max.message.bytes": "3000000"}}))
	log := plan()["grow.work.retry.in"]
	require.Equal(t, router.Make, log.Action)
	require.Equal(t, 6, log.Partitions)
	require.Equal(t, "3065536", log.Configs["max.message.bytes"])
	require.Equal(t, "LogAppendTime", log.Configs["message.timestamp.type"])
	require.NoError(t, router.Apply(t.Context(), admin, []router.Change{log, plan()["grow.work.poison"]}, func(router.Change) {}))
	require.Equal(t, router.Nothing, plan()["grow.work.retry.in"].Action)

	require.NoError(t, admin.AddPartitions(t.Context(), "grow.in", 8))
	log = plan()["grow.work.retry.in"]
	require.Equal(t, router.Extend, log.Action)
	require.Contains(t, log.Notes, "has 6 partitions, and its pipe grow.in has 8")
	again, err := router.New(router.Config{Kafka: kafka.Config{Brokers: addrs}, Logger: logger(t)}, g)
	require.NoError(t, err)
	var wrong *router.MissingTopicsError
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	require.ErrorAs(t, again.Run(ctx), &wrong)
	require.Len(t, wrong.Wrong, 1)
	require.NoError(t, router.Apply(t.Context(), admin, []router.Change{log}, func(router.Change) {}))
	require.Equal(t, router.Nothing, plan()["grow.work.retry.in"].Action)

	require.NoError(t, admin.AddPartitions(t.Context(), "grow.work.retry.in", 9))
	log = plan()["grow.work.retry.in"]
	require.Equal(t, router.ByHand, log.Action, "nobody reads the ninth")
	require.Contains(t, log.Notes[0], "has 9 partitions, and its pipe grow.in has 8")
}
