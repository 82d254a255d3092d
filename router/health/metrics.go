package health

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/penstock/penstock/router"
)

// NewCollector returns the metrics of a router's stages and sources. They are
// read when they are asked for, at no broker.
func NewCollector(r Reporter) prometheus.Collector { return &collector{r} }

type collector struct{ of Reporter }

// The metrics, all named penstock_…, in seconds, bytes and messages.
var (
	stageLabel     = []string{"stage"}
	partitionLabel = []string{"stage", "topic", "partition"}

	in          = metric("stage_messages_in_total", "Messages that reached the filter, each once however often it was tried.", stageLabel)
	out         = metric("stage_messages_out_total", "Messages that the filter made.", stageLabel)
	skipped     = metric("stage_messages_skipped_total", "Messages that the filter dropped.", stageLabel)
	retried     = metric("stage_retries_total", "Attempts after the first one of a message.", stageLabel)
	parked      = metric("stage_messages_parked_total", "Messages that were parked, each as often as it was.", stageLabel)
	poisoned    = metric("stage_messages_poisoned_total", "Messages that went to the poison topic.", stageLabel)
	restarts    = metric("stage_restarts_total", "Memberships of the group, and openings of the filter, that failed and were begun again.", stageLabel)
	rebalances  = metric("stage_rebalances_total", "Assignments that the group has made, those that changed nothing for this process too.", stageLabel)
	attempts    = metric("stage_attempt_duration_seconds", "How long attempts took, waits not included.", stageLabel)
	state       = metric("stage_state", "1 for the state that the stage is in: starting, running, restarting or stopping.", []string{"stage", "state"})
	stuck       = metric("stage_stuck_attempts", "Attempts that have been under way for too long.", stageLabel)
	parkedNow   = metric("stage_parked_messages", "Messages that are parked.", stageLabel)
	oldest      = metric("stage_parked_oldest_age_seconds", "How long the message that is parked longest has been; 0 where none is.", stageLabel)
	unclean     = metric("stage_unclean_ends", "How often in a row owners of a partition of the stage have ended without a word, the most of any, where what may have been at work then is not through.", stageLabel)
	crashHeld   = metric("stage_crash_held_messages", "Messages that are set aside because the process ended each time that they were alone at work.", stageLabel)
	halted      = metric("stage_halted_partitions", "Partitions of which nothing is begun because it looks as if any message ended the process.", stageLabel)
	takingOver  = metric("stage_takeovers_in_progress", "Partitions whose retry log is being read before work on them begins.", stageLabel)
	takeovers   = metric("stage_takeover_duration_seconds", "How long takeovers of partitions took.", stageLabel)
	breaker     = metric("stage_breaker_state", "1 for the state that the stage's breaker is in: closed, open or probing.", []string{"stage", "state"})
	opened      = metric("stage_breaker_opened_total", "How often the stage's breaker has opened.", stageLabel)
	inFlight    = metric("partition_messages_in_flight", "Messages that were read and are not done, or wait for one before them that is not.", partitionLabel)
	bytes       = metric("partition_in_flight_bytes", "Bytes of the messages in flight and of what was made of them.", partitionLabel)
	lag         = metric("partition_lag_messages", "Offsets between what is done and the end of the partition.", partitionLabel)
	sourceState = metric("source_state", "1 for the state that the source is in: starting, running, restarting, stopping or done.", []string{"source", "state"})
	sourceFails = metric("source_restarts_total", "Runs and openings of the source that failed and were begun again.", []string{"source"})
)

func metric(name, help string, labels []string) *prometheus.Desc {
	return prometheus.NewDesc("penstock_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		in, out, skipped, retried, parked, poisoned, restarts, rebalances, attempts, state, stuck, parkedNow, oldest,
		unclean, crashHeld, halted, takingOver, takeovers, breaker, opened, inFlight, bytes, lag, sourceState, sourceFails,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	s := c.of.Status()
	for i := range s.Stages {
		collectStage(to, &s.Stages[i])
	}
	for _, source := range s.Sources {
		states(to, sourceState, source.Source, string(source.State), sourceStates)
		count(to, sourceFails, source.Restarts, source.Source)
	}
}

func collectStage(to chan<- prometheus.Metric, s *router.StageStatus) {
	count(to, in, s.In, s.Stage)
	count(to, out, s.Out, s.Stage)
	count(to, skipped, s.Skipped, s.Stage)
	count(to, retried, s.Retried, s.Stage)
	count(to, parked, s.Parked, s.Stage)
	count(to, poisoned, s.Poisoned, s.Stage)
	count(to, restarts, s.Restarts, s.Stage)
	count(to, rebalances, s.Rebalances, s.Stage)
	buckets := make(map[float64]uint64, len(s.Latency.Buckets))
	for _, b := range s.Latency.Buckets {
		buckets[b.Bound.Seconds()] = uint64(b.Count)
	}
	to <- prometheus.MustNewConstHistogram(attempts, uint64(s.Latency.Count), s.Latency.Sum.Seconds(), buckets, s.Stage)

	states(to, state, s.Stage, string(s.State), stageStates)
	gauge(to, stuck, float64(len(s.Stuck)), s.Stage)
	gauge(to, parkedNow, float64(s.ParkedNow.Messages), s.Stage)
	gauge(to, oldest, age(s.ParkedNow.Oldest), s.Stage)
	collectCrashes(to, s)
	gauge(to, takingOver, float64(len(s.TakingOver)), s.Stage)
	to <- prometheus.MustNewConstSummary(takeovers, uint64(s.Takeovers), s.TakeoverTime.Seconds(), nil, s.Stage)
	if s.Breaker.State != router.BreakerNone {
		states(to, breaker, s.Stage, string(s.Breaker.State), breakerStates)
		count(to, opened, s.Breaker.Opened, s.Stage)
	}
	for _, p := range s.Partitions {
		number := strconv.Itoa(int(p.Partition))
		gauge(to, inFlight, float64(p.InFlight), s.Stage, p.Topic, number)
		gauge(to, bytes, float64(p.Bytes), s.Stage, p.Topic, number)
		gauge(to, lag, float64(p.Behind()), s.Stage, p.Topic, number)
	}
}

func collectCrashes(to chan<- prometheus.Metric, s *router.StageStatus) {
	ends, held, partitions := 0, 0, 0
	for _, c := range s.Crashes {
		ends, held = max(ends, c.Ends), held+c.Held
		if c.Halted {
			partitions++
		}
	}
	gauge(to, unclean, float64(ends), s.Stage)
	gauge(to, crashHeld, float64(held), s.Stage)
	gauge(to, halted, float64(partitions), s.Stage)
}

var (
	stageStates   = []string{string(router.StateStarting), string(router.StateRunning), string(router.StateRestarting), string(router.StateStopping)}
	sourceStates  = append(slices.Clip(stageStates), string(router.StateDone))
	breakerStates = []string{string(router.BreakerClosed), string(router.BreakerOpen), string(router.BreakerProbing)}
)

// states tells each state that could be, so that none is ever missing.
func states(to chan<- prometheus.Metric, d *prometheus.Desc, of, is string, all []string) {
	for _, s := range all {
		value := 0.0
		if s == is {
			value = 1
		}
		gauge(to, d, value, of, s)
	}
}

func count(to chan<- prometheus.Metric, d *prometheus.Desc, n int64, labels ...string) {
	to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}

func gauge(to chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func age(since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(time.Since(since).Seconds(), 0)
}
