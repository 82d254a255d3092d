package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// tailFlags are the flags of tail.
type tailFlags struct {
	connection *connection
	registry   *registryFlags
	last       int
	all        bool
	follow     bool
	key, job   string
	json       bool
	onlyKey    bool
}

const (
	lastFlag = "last"
	jobFlag  = "job"

	// maxLast and maxLastBytes bound what tail holds in memory.
	maxLast      = 100_000
	maxLastBytes = 64 << 20
	// followEvery is how often a pipe is looked at.
	followEvery = 300 * time.Millisecond
)

func (a *app) tail() *cobra.Command {
	of, values := "PIPE", "Values are decoded by the pipe's codec and shown as JSON; one that does not decode\nis shown as it is, with why."
	if a.program.Pipelines == nil {
		of, values = "TOPIC", "Values are shown as they are. The same command of the program that declares the\npipe decodes them."
	}
	c := &cobra.Command{
		Use:   "tail " + of,
		Short: "Show the messages of a " + strings.ToLower(of),
		Long: `Tail shows the last messages of a ` + strings.ToLower(of) + `, of each partition as many as --last
says, or all of them, and with --follow those that come, until it is interrupted. It
belongs to no group: nobody else misses what it reads.

` + values + `

--key and --job show only the messages of a key or a job, among those that are read.`,
		Example: a.example("{} tail "+of, "{} tail "+of+" --follow --key ann", "{} tail "+of+" --all --json"),
		Args:    cobra.ExactArgs(1),
	}
	c.ValidArgsFunction = a.completeNames(pipeNames)
	f := &tailFlags{connection: newConnection(c.Flags()), registry: a.pipeCodecFlags(c.Flags())}
	c.Flags().IntVar(&f.last, lastFlag, 10, "begin with the last `n` offsets of each partition")
	c.Flags().BoolVar(&f.all, allFlag, false, "begin with the oldest message")
	c.Flags().BoolVar(&f.follow, followFlag, false, "go on with what comes")
	c.Flags().StringVar(&f.key, keyFlag, "", "only messages of this `key`")
	c.Flags().StringVar(&f.job, jobFlag, "", "only messages of the job of this `id`")
	c.Flags().BoolVar(&f.json, jsonFlag, false, "print JSON, a message a line")
	a.does(c, func(ctx context.Context, args []string) error {
		f.onlyKey = c.Flags().Changed(keyFlag)
		switch {
		case f.all && c.Flags().Changed(lastFlag):
			return wrongUse("%s and %s both say where to begin: leave one of them out", given(c.Flags(), allFlag), given(c.Flags(), lastFlag))
		case f.last < 0 || f.last > maxLast:
			return wrongUse("%s is %d: it must be between 0 and %d", given(c.Flags(), lastFlag), f.last, maxLast)
		}
		return a.showTail(ctx, f, args[0])
	})
	return a.buildsPipelines(c)
}

func (a *app) showTail(ctx context.Context, f *tailFlags, name string) error {
	pipe, topic, err := a.target(name)
	if err != nil {
		return err
	}
	registered, err := a.schemaRegistry(f.registry, quietLog(a.stderr))
	if err != nil {
		return err
	}
	defer registered.Close()
	return a.withCluster(ctx, f.connection, func(cl *cluster, admin *kafka.Admin) error {
		found, err := admin.Topics(ctx, topic)
		if err != nil {
			return err
		}
		if _, exists := found[topic]; !exists {
			return a.noTopic(f.connection.flags, topic)
		}
		if err := registered.openPipe(ctx, pipe, false); err != nil {
			return err
		}
		reader, err := kafka.NewReader(ctx, cl.kafka)
		if err != nil {
			return err
		}
		defer func() { _ = reader.Close() }()
		t := &tailing{app: a, flags: f, pipe: pipe, topic: topic, reader: reader, next: map[int32]int64{}}
		return t.run(ctx)
	})
}

// tailing is a topic that is being shown.
type tailing struct {
	app    *app
	flags  *tailFlags
	pipe   *pipeline.PipeNode // nil: its type is not known here
	topic  string
	reader *kafka.Reader
	next   map[int32]int64 // by partition
}

func (t *tailing) run(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	if !t.flags.follow {
		return t.read(ctx)
	}
	return t.app.follow(ctx, followEvery, t.read)
}

// begin finds where to begin.
func (t *tailing) begin(ctx context.Context) error {
	bounds, err := t.reader.Bounds(ctx, t.topic)
	if err != nil {
		return err
	}
	for _, b := range bounds {
		t.next[b.Partition] = b.Start
		if !t.flags.all {
			t.next[b.Partition] = max(b.Start, b.End-int64(t.flags.last))
		}
	}
	return nil
}

// read shows what there is from next on. What came at about the same time in
// several partitions is brought into the order of its time, where it is not much.
func (t *tailing) read(ctx context.Context) error {
	var together []kafka.Record
	bytes := 0
	for partition, from := range t.next {
		next, err := t.reader.Read(ctx, t.topic, partition, from, func(r *kafka.Record) error {
			if t.app.stdout.err != nil {
				return t.app.stdout.err
			}
			if bytes += r.Size(); len(together) < maxLast && bytes < maxLastBytes {
				together = append(together, *r)
				return nil
			}
			t.show(ctx, r)
			return nil
		})
		t.next[partition] = next
		if err != nil {
			return err
		}
	}
	slices.SortStableFunc(together, func(a, b kafka.Record) int { return a.Time.Compare(b.Time) })
	for i := range together {
		t.show(ctx, &together[i])
	}
	return nil
}

// tailDocument is a message for scripts.
type tailDocument struct {
	Topic     string            `json:"topic"`
	Partition int32             `json:"partition"`
	Offset    int64             `json:"offset"`
	Time      time.Time         `json:"time"`
	Key       *string           `json:"key,omitempty"`
	ID        string            `json:"id,omitempty"`
	Job       string            `json:"job,omitempty"`
	Sequence  int64             `json:"sequence,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	Value     json.RawMessage   `json:"value,omitempty"`
	Text      string            `json:"text,omitempty"`  // in place of the value, where that is not JSON
	Bytes     []byte            `json:"bytes,omitempty"` // nor text
	Error     string            `json:"error,omitempty"`
}

func (t *tailing) show(ctx context.Context, r *kafka.Record) {
	d := t.document(ctx, r)
	if t.flags.onlyKey && (d.Key == nil || *d.Key != t.flags.key) || t.flags.job != "" && d.Job != t.flags.job {
		return
	}
	if t.flags.json {
		t.app.stdout.line(d)
		return
	}
	key, value := "-", string(d.Value)
	if d.Key != nil {
		key = *d.Key
	}
	if d.Value == nil {
		value = d.Text
	}
	if d.Bytes != nil {
		value = fmt.Sprintf("%d bytes", len(d.Bytes))
	}
	line := fmt.Sprintf("%s %d@%d %s %s", d.Time.Local().Format("15:04:05.000"), d.Partition, d.Offset, printable(key), printable(value))
	if d.Error != "" {
		line += " (" + printable(d.Error) + ")"
	}
	fmt.Fprintln(t.app.stdout, line)
}

func (t *tailing) document(ctx context.Context, r *kafka.Record) tailDocument {
	d := tailDocument{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Time}
	var e schemas.Envelope
	value, err := schemas.ReadEnvelope(&e, r.Key, r.Value, r.Headers, func(b []byte) string { return string(b) })
	if err != nil {
		d.Error = "the envelope: " + err.Error()
	}
	if e.HasKey {
		d.Key = &e.Key
	}
	if e.ID != "" { // else its reader makes one of the topic's id
		e.Identify([16]byte{}, r.Partition, r.Offset)
	}
	d.ID, d.Job, d.Sequence = e.ID, e.Job, e.Sequence
	for _, h := range e.Headers {
		if d.Headers == nil {
			d.Headers = map[string]string{}
		}
		d.Headers[h.Name] = string(h.Value)
	}
	if err := d.decode(ctx, t.pipe, value); err != nil {
		d.Error = strings.TrimPrefix(d.Error+"; "+err.Error(), "; ")
	}
	return d
}

// decode sets the value as JSON, or else as text, or else as bytes.
func (d *tailDocument) decode(ctx context.Context, pipe *pipeline.PipeNode, value []byte) error {
	var err error
	if pipe != nil {
		var v any
		if v, err = pipe.Decode(ctx, value); err == nil {
			if _, raw := v.([]byte); !raw {
				if d.Value, err = json.Marshal(v); err == nil {
					return nil
				}
			}
		}
	}
	switch {
	case len(value) == 0:
	case json.Valid(value):
		d.Value = value
	case utf8.Valid(value):
		d.Text = string(value)
	default:
		d.Bytes = value
	}
	return err
}
