// Command checker tests what a chaos run left in its topics. It exits with 1 when a
// guarantee is broken, and lists how; with 2 when it could not check. It cannot check
// a run in mode parking: of that only the run itself sees all, while it goes on.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
)

func main() {
	brokers := flag.String("brokers", "127.0.0.1:19092", "`addresses` of the brokers, separated by commas")
	pipeline := flag.String("pipeline", "chaos", "`name` of the pipeline")
	journal := flag.String("journal", "journal", "`file` with what the producers saw acknowledged")
	flag.Parse()

	report, err := checker.CheckPipeline(context.Background(), checker.Source{
		Brokers: strings.Split(*brokers, ","), Pipeline: *pipeline, Stages: flow.Stages(flow.Trouble{}), Journal: *journal,
	})
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
