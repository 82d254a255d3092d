package pipeline

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Text is the topology as tables for a terminal.
func (t Topology) Text() string {
	var b strings.Builder
	_ = t.WriteText(&b) // a strings.Builder takes everything
	return b.String()
}

// WriteText writes Text to w.
func (t Topology) WriteText(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "pipeline %s\n", t.Pipeline); err != nil {
		return fmt.Errorf("write the topology of pipeline %s: %w", t.Pipeline, err)
	}
	for _, rows := range [][][]string{t.sourceRows(), t.stageRows(), t.pipeRows()} {
		if len(rows) == 1 { // the heading alone
			continue
		}
		if err := writeTable(w, rows); err != nil {
			return fmt.Errorf("write the topology of pipeline %s: %w", t.Pipeline, err)
		}
	}
	return nil
}

func writeTable(w io.Writer, rows [][]string) error {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	_ = tw.Flush() // as above
	_, err := fmt.Fprintf(w, "\n%s", b.String())
	return err
}

func (t Topology) sourceRows() [][]string {
	rows := [][]string{{"SOURCE", "PUTS INTO", "NOTES"}}
	for _, s := range t.Sources {
		var notes []string
		if s.Once {
			notes = append(notes, "each trigger once")
		}
		if s.Finite {
			notes = append(notes, "ends by itself")
		}
		rows = append(rows, []string{s.Name, s.Pipe, listOr(notes, "-")})
	}
	return rows
}

func (t Topology) stageRows() [][]string {
	rows := [][]string{{"STAGE", "READS", "WRITES", "GROUP", "SETTINGS"}}
	for _, s := range t.Stages {
		rows = append(rows, []string{s.Name, listOr(s.Inputs, "-"), listOr(s.Outputs, "-"), s.Group, s.settings()})
	}
	return rows
}

func (s TopologyStage) settings() string {
	list := []string{"1 attempt"}
	if s.Attempts > 1 {
		list = []string{fmt.Sprintf("%d attempts", s.Attempts), "backoff " + s.Backoff}
	}
	if s.Timeout != "" {
		list = append(list, "timeout "+s.Timeout)
	}
	if s.BatchMax > 0 {
		list = append(list, fmt.Sprintf("batches of %d within %s", s.BatchMax, s.BatchWait))
	}
	if s.Middleware > 0 {
		list = append(list, fmt.Sprintf("%d middleware", s.Middleware))
	}
	return strings.Join(list, ", ")
}

func (t Topology) pipeRows() [][]string {
	rows := [][]string{{"PIPE", "TOPIC", "PARTITIONS", "CARRIES", "AS", "NOTES"}}
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
		rows = append(rows, []string{p.Name, p.Topic, partitions, p.Type, p.ContentType, listOr(notes, "-")})
	}
	return rows
}

func listOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}
