package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"
)

// report is what is written to the results file.
type report struct {
	Case     string `json:"case"`
	Messages int64  `json:"messages"`
	Rounds   int    `json:"rounds"`
	GOGC     string `json:"gogc"`
	Cores    int    `json:"cores"`

	// LoadAverage at the end, of a minute, five and fifteen: far above what one
	// run makes, which is about the number of cores, the rates are worth little.
	LoadAverage string `json:"load_average"`

	Versions   map[string]string `json:"versions"`
	ValueBytes int               `json:"value_bytes"`
	Brokers    []brokerReport    `json:"brokers"`

	settings settings
}

type brokerReport struct {
	Broker   string          `json:"broker"`
	Version  string          `json:"version"`
	Entrants []figures       `json:"entrants"`
	Ratios   []measuredRatio `json:"ratios"`
}

func newReport(s settings) *report {
	r := &report{
		Case: s.Case.Name, Messages: s.Messages, Rounds: s.Rounds, GOGC: s.GOGC, Cores: runtime.NumCPU(),
		ValueBytes: valueBytes, Versions: map[string]string{"go": runtime.Version()}, settings: s,
	}
	for _, module := range []string{
		"github.com/IBM/sarama", "github.com/ThreeDotsLabs/watermill",
		"github.com/ThreeDotsLabs/watermill-kafka/v3", "github.com/twmb/franz-go",
	} {
		r.Versions[module] = moduleVersion(module)
	}
	return r
}

// moduleVersion is the version of a module that this program is built with.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return ""
}

// loadAverage is empty where the system does not tell.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(b))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func (r *report) add(b *startedBroker, samples map[string][]sample) {
	added := brokerReport{Broker: b.name, Version: b.version, Ratios: ratiosOf(r.settings.Case, samples)}
	for _, e := range r.settings.entrants() {
		added.Entrants = append(added.Entrants, figuresOf(e, samples[e.Name]))
	}
	r.Brokers = append(r.Brokers, added)
}

// table shows medians, and between what the rounds lie.
func (r *report) table(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nbroker\tentrant\tmsg/s\t(min–max)\tCPU µs/msg\t(min–max)\tallocs/msg\tB/msg")
	for _, b := range r.Brokers {
		for _, f := range b.Entrants {
			fmt.Fprintf(t, "%s\t%s\t%.0f\t(%.0f–%.0f)\t%.2f\t(%.2f–%.2f)\t%.2f\t%.0f\n", b.Broker, f.Entrant,
				f.Rate.Median, f.Rate.Min, f.Rate.Max, f.CPU.Median, f.CPU.Min, f.CPU.Max, f.Allocs.Median, f.AllocBytes.Median)
		}
	}
	_ = t.Flush() // to a terminal, where nobody could act on it
	for _, b := range r.Brokers {
		for _, ratio := range b.Ratios {
			verdict := "reached"
			if !ratio.Reached {
				verdict = "not reached"
			}
			fmt.Fprintf(out, "%s: %s is %.2f, the goal %.2f is %s", b.Broker, ratio.Name, ratio.Value, ratio.Goal, verdict)
			if ratio.CPU > 0 {
				fmt.Fprintf(out, "; %.2f by messages a CPU second", ratio.CPU)
			}
			fmt.Fprintln(out)
		}
	}
	fmt.Fprintln(out, "load average at the end:", r.LoadAverage)
}

// line is the last line of a run on a broker.
func line(c benchCase, b brokerReport) string {
	var l strings.Builder
	l.WriteString("bench:")
	if c.Name != "stage" {
		l.WriteString(" case=" + c.Name)
	}
	l.WriteString(" broker=" + b.Broker)
	for _, f := range b.Entrants {
		fmt.Fprintf(&l, " %s=%.0f", f.Entrant, f.Rate.Median)
	}
	for _, r := range b.Ratios {
		fmt.Fprintf(&l, " %s=%.2f", r.Name, r.Value)
	}
	return l.String()
}

func (r *report) write(file string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil { //nolint:gosec // results are for everybody
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}
