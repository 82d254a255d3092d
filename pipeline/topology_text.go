package pipeline

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Text is the topology as tables for a terminal.
func (t Topology) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pipeline %s\n", t.Pipeline)
	for _, rows := range [][][]string{t.sourceRows(), t.stageRows(), t.pipeRows()} {
		if len(rows) == 1 { // the heading alone
			continue
		}
		b.WriteString("\n")
		table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
		for _, row := range rows {
			fmt.Fprintln(table, strings.Join(row, "\t"))
		}
		_ = table.Flush() // a strings.Builder takes everything
	}
	return b.String()
}

func (t Topology) sourceRows() [][]string {
	rows := append(make([][]string, 0, 1+len(t.Sources)), []string{"SOURCE", "PUTS INTO", "NOTES"})
	for _, s := range t.Sources {
		var notes []string
		if s.Once {
			notes = append(notes, "each trigger once")
		}
		if s.Finite {
			notes = append(notes, "ends by itself")
		}
		rows = append(rows, []string{s.Name, s.Pipe, list(notes)})
	}
	return rows
}

func (t Topology) stageRows() [][]string {
	rows := append(make([][]string, 0, 1+len(t.Stages)), []string{"STAGE", "READS", "WRITES", "GROUP", "SETTINGS"})
	for _, s := range t.Stages {
		rows = append(rows, []string{s.Name, list(s.Inputs), list(s.Outputs), s.Group, s.settings()})
	}
	return rows
}

func (s TopologyStage) settings() string {
	all := []string{"1 attempt"}
	if s.Attempts > 1 {
		all = []string{fmt.Sprintf("%d attempts", s.Attempts), "backoff " + s.Backoff}
	}
	if s.Parks > 0 {
		all = append(all, fmt.Sprintf("parks %d", s.Parks), "backoff "+s.ParkBackoff)
	}
	if s.OnPoison == HoldKey.String() {
		all = append(all, "poison holds its key")
	}
	if s.ExactlyOnce {
		all = append(all, "exactly once", "commits every "+s.CommitEvery)
	}
	if s.Breaker != "" {
		all = append(all, "breaker "+s.Breaker)
	}
	if s.Lanes != defaultLanes && s.BatchMax == 0 {
		all = append(all, fmt.Sprintf("lanes %d", s.Lanes))
	}
	if s.Timeout != "" {
		all = append(all, "timeout "+s.Timeout)
	}
	if s.BatchMax > 0 {
		all = append(all, fmt.Sprintf("batches of %d within %s", s.BatchMax, s.BatchWait))
	}
	if s.Middleware > 0 {
		all = append(all, fmt.Sprintf("%d middleware", s.Middleware))
	}
	return strings.Join(all, ", ")
}

func (t Topology) pipeRows() [][]string {
	rows := append(make([][]string, 0, 1+len(t.Pipes)), []string{"PIPE", "TOPIC", "PARTITIONS", "CARRIES", "AS", "NOTES"})
	for _, p := range t.Pipes {
		partitions := "default"
		if p.Partitions > 0 {
			partitions = strconv.Itoa(p.Partitions)
		}
		var notes []string
		if p.Keyed {
			notes = append(notes, "keyed")
		}
		if p.Open {
			notes = append(notes, "open")
		}
		rows = append(rows, []string{p.Name, p.Topic, partitions, p.Type, p.ContentType, list(notes)})
	}
	return rows
}

// list shows an empty list as a dash, so that no column of a table is empty.
func list(of []string) string {
	if len(of) == 0 {
		return "-"
	}
	return strings.Join(of, ", ")
}
