// Command checker tests once more what a chaos run left in its topics, as long as
// these are there. It exits with 1 when a guarantee is broken, and lists how; with 2
// when it could not check.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/penstock/penstock/internal/chaos"
	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/retrylog"
)

func main() {
	brokers := flag.String("brokers", "127.0.0.1:19092", "`addresses` of the brokers, separated by commas")
	pipeline := flag.String("pipeline", "chaos", "`name` of the pipeline")
	dir := flag.String("dir", ".", "`folder` of the run, with what the producers saw acknowledged and what stood in the retry logs")
	chance := flag.Int("chance", 50, "in the run one attempt in `so many` failed")
	slow := flag.Bool("slow", true, "in the run some messages waited for long")
	once := flag.Bool("exactly-once", false, "the stages ran exactly once")
	flag.Parse()

	report, err := check(strings.Split(*brokers, ","), *pipeline, *dir, flow.Trouble{Chance: *chance, Slow: *slow}, *once)
	if err != nil {
		fmt.Fprintln(os.Stderr, "checker:", err)
		os.Exit(2)
	}
	fmt.Fprint(os.Stdout, report.List())
	fmt.Fprintln(os.Stdout, "checker:", report.Totals())
	if len(report.Findings) > 0 {
		os.Exit(1)
	}
}

func check(brokers []string, pipeline, dir string, trouble flow.Trouble, once bool) (*checker.Report, error) {
	logs, err := retrylog.Load(filepath.Join(dir, chaos.RetryLogsFile))
	if err != nil {
		return nil, err
	}
	return checker.CheckPipeline(context.Background(), checker.Source{
		Brokers: brokers, Pipeline: pipeline, Stages: flow.Stages(trouble), Journal: filepath.Join(dir, chaos.JournalFile), Once: once,
		Log: func(s flow.Stage) []retrylog.Record { return logs[flow.RetryLog(pipeline, s)] },
	})
}
