package cmd

import (
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// Flags of a run that other code asks for by name.
const (
	stageFlag           = "stage"
	sourceFlag          = "source"
	drainFlag           = "drain"
	jsonFlag            = "json"
	partitionsFlag      = "partitions"
	retentionFlag       = "retention"
	maxMessageBytesFlag = "max-message-bytes"
)

// runFlags are the flags of run.
type runFlags struct {
	flags          *pflag.FlagSet
	connection     *connection
	registry       *registryFlags
	log            *logFlags
	topics         *topicFlags
	stages         []string
	sources        []string
	drain          bool
	json           bool
	stopTimeout    time.Duration
	commitInterval time.Duration
	sessionTimeout time.Duration
	instanceID     string
	rack           string
	listen         string
	http           string
	stuckAfter     time.Duration
	traceEndpoint  string
	traceRatio     float64
	lostRange      choice
	compression    choice
}

const (
	rackFlag        = "rack"
	listenFlag      = "listen"
	httpFlag        = "http"
	stuckAfterFlag  = "stuck-after"
	noCompression   = "none"
	failOnLostRange = "fail"
)

func newRunFlags(c *cobra.Command) *runFlags {
	flags := c.Flags()
	f := &runFlags{flags: flags, connection: newConnection(flags), registry: newCodecFlags(flags), log: newLogFlags(flags), topics: newTopicFlags(flags)}
	flags.StringSliceVar(&f.stages, stageFlag, nil, "run these `stages` only; given several times or with commas")
	flags.StringSliceVar(&f.sources, sourceFlag, nil, "run these `sources` only; given several times or with commas")
	flags.BoolVar(&f.drain, drainFlag, false, "end when the sources that end by themselves are done and every stage has caught up")
	flags.BoolVar(&f.json, jsonFlag, false, "print the summary of --drain as JSON")
	flags.DurationVar(&f.stopTimeout, "stop-timeout", 30*time.Second, "how long messages in work may take when the run is stopped")
	flags.DurationVar(&f.commitInterval, "commit-interval", 500*time.Millisecond, "how often what is done is committed; what was done since is repeated after a crash")
	flags.DurationVar(&f.sessionTimeout, "session-timeout", 10*time.Second, "how long a process may be silent before its partitions go to others")
	flags.StringVar(&f.instanceID, "instance-id", "", "static membership: a process that comes back under the same `id` has its partitions again")
	flags.StringVar(&f.rack, rackFlag, "", "`name` of the rack this runs in, as brokers have it in broker.rack: messages are read from the replica there")
	flags.StringVar(&f.listen, listenFlag, "", "serve /healthz, /readyz and /metrics at this `address`, as in 127.0.0.1:8080; :8080 is reached from other machines too, by anybody")
	flags.StringVar(&f.http, httpFlag, router.DefaultHTTP, "take the requests for HTTP sources at this `address`; :8080 is reached from other machines too: see that the sources ask who is there")
	flags.DurationVar(&f.stuckAfter, stuckAfterFlag, router.DefaultStuckAfter, "how long an attempt may take before /healthz says that the process is to be restarted; at least twice the stage's time-out")
	flags.StringVar(&f.traceEndpoint, traceEndpointFlag, "", "send spans to the OpenTelemetry collector at this `URL`, as in http://127.0.0.1:4318 (OTLP over HTTP); without it nothing is traced")
	flags.Float64Var(&f.traceRatio, traceRatioFlag, 1, "`share` of the traces that begin here that is sampled, from 0 to 1; others are sampled as their parent is")
	f.lostRange = choice{value: failOnLostRange, among: []string{failOnLostRange, string(kafka.OldestOnLostRange), string(kafka.NewestOnLostRange)}}
	flags.Var(&f.lostRange, "lost-range", "where to go `on` when records were deleted before they were read: "+strings.Join(f.lostRange.among, ", "))
	f.compression = choice{value: noCompression, among: []string{noCompression, string(kafka.Gzip), string(kafka.Snappy), string(kafka.LZ4), string(kafka.Zstd)}}
	flags.Var(&f.compression, "compression", "`codec` of what is produced: "+strings.Join(f.compression.among, ", "))
	return f
}

// router makes the configuration of the router, but for the cluster.
func (f *runFlags) router(log *slog.Logger) (router.Config, error) {
	if err := f.topics.check(); err != nil {
		return router.Config{}, err
	}
	for name, d := range map[string]time.Duration{"stop-timeout": f.stopTimeout, "commit-interval": f.commitInterval, "session-timeout": f.sessionTimeout, stuckAfterFlag: f.stuckAfter} {
		if d <= 0 {
			return router.Config{}, wrongUse("%s is %v: it must be positive", given(f.flags, name), d)
		}
	}
	for _, name := range []string{partitionsFlag, retentionFlag} {
		if f.connection.remote() && f.flags.Changed(name) {
			return router.Config{}, wrongUse("%s is for the topics that a run makes on the embedded broker: on a Kafka cluster give it to the command \"topics apply\"", given(f.flags, name))
		}
	}
	if err := f.checkTrace(); err != nil {
		return router.Config{}, err
	}
	if _, _, err := net.SplitHostPort(f.http); err != nil {
		return router.Config{}, wrongUse("%s is %q: it must be an address like %s", given(f.flags, httpFlag), f.http, router.DefaultHTTP)
	}
	lostRange := kafka.LostRange(f.lostRange.value)
	if lostRange == failOnLostRange {
		lostRange = kafka.FailOnLostRange
	}
	compression := kafka.Compression(f.compression.value)
	if compression == noCompression {
		compression = ""
	}
	return router.Config{
		Stages: f.stages, Sources: f.sources, HTTP: f.http,
		SessionTimeout: f.sessionTimeout, InstanceID: f.instanceID, LostRange: lostRange,
		MaxMessageBytes: f.topics.options.MaxMessageBytes,
		StopTimeout:     f.stopTimeout, CommitInterval: f.commitInterval, StuckAfter: f.stuckAfter,
		Compression: compression, Logger: log,
	}, nil
}

// topicFlags say how topics are made.
type topicFlags struct {
	flags   *pflag.FlagSet
	options router.TopicOptions
}

func newTopicFlags(flags *pflag.FlagSet) *topicFlags {
	t := &topicFlags{flags: flags}
	flags.IntVar(&t.options.Partitions, partitionsFlag, 6, "`partitions` of the pipes that do not say, in topics that are made")
	flags.DurationVar(&t.options.Retention, retentionFlag, 7*24*time.Hour, "how long pipes keep messages, read or not, in topics that are made")
	addMaxMessageBytes(flags, &t.options.MaxMessageBytes)
	return t
}

func addMaxMessageBytes(flags *pflag.FlagSet, n *int) {
	flags.IntVar(n, maxMessageBytesFlag, router.DefaultMaxMessageBytes, "largest value of a message, in `bytes`")
}

// The bounds of the flags: those of Kafka, or far above what makes sense.
const (
	maxPartitions = 10_000
	maxMaxBytes   = 256 << 20
)

func (t *topicFlags) check() error {
	switch o := t.options; {
	case o.Partitions < 1 || o.Partitions > maxPartitions:
		return wrongUse("%s is %d: it must be between 1 and %d", given(t.flags, partitionsFlag), o.Partitions, maxPartitions)
	case o.Retention < time.Millisecond:
		return wrongUse("%s is %v: it must be at least 1ms", given(t.flags, retentionFlag), o.Retention)
	}
	return checkMaxMessageBytes(t.flags, t.options.MaxMessageBytes)
}

func checkMaxMessageBytes(flags *pflag.FlagSet, n int) error {
	if n < 1 || n > maxMaxBytes {
		return wrongUse("%s is %d: it must be between 1 and %d", given(flags, maxMessageBytesFlag), n, maxMaxBytes)
	}
	return nil
}
