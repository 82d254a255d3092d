// Command chaos does a chaos run on a Kafka that is there. It prints what the
// checker found, and ends with one line. It exits with 1 when a guarantee is
// broken, and with 2 when the run could not be done.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/penstock/penstock/internal/chaos"
)

func main() {
	cfg, err := parse()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(notDone)
	}
	os.Exit(run(cfg))
}

// The exit statuses.
const (
	held    = 0
	broken  = 1
	notDone = 2
)

func parse() (cfg chaos.Config, err error) {
	brokers := flag.String("brokers", "127.0.0.1:19092", "`addresses` of the brokers, separated by commas")
	links := flag.String("links", "", "for each broker the address that `workers` are told by it, and the one that leads to it, as worker=broker, separated by commas (default none: no connection is cut)")
	nodes := flag.String("nodes", "", "`command` that kills, stops or starts a node, by its number (default none: no broker goes)")
	worker := flag.String("worker", "", "`program` that is a worker")
	mode := flag.String("mode", string(chaos.AtLeastOnce), fmt.Sprintf("what is tried: one of %q", chaos.Modes))
	kills := flag.Int("kills", -1, fmt.Sprintf("how many workers are killed (default %d, and %d in mode parking); none are in mode %s",
		chaos.DefaultKills(chaos.AtLeastOnce), chaos.DefaultKills(chaos.Parking), chaos.Graceful))
	flag.StringVar(&cfg.Dir, "dir", ".", "`folder` for the journal and the logs")
	flag.StringVar(&cfg.Pipeline, "pipeline", "chaos", "`name` of the pipeline")
	flag.Uint64Var(&cfg.Seed, "seed", 1, "decides on the faults and the load")
	flag.IntVar(&cfg.Messages, "messages", 0, "how many messages there are at least (default 200000, and 60000 in mode graceful)")
	flag.IntVar(&cfg.Rate, "rate", 0, "how many messages a second are produced at most (default 1600, and 500 in the modes graceful and parking)")
	flag.IntVar(&cfg.Keys, "keys", 0, "how many keys the messages have (default 1000, and 200 in mode parking)")
	flag.IntVar(&cfg.Processes, "processes", 0, "how many processes each stage has (default 2, and 4 in mode parking)")
	flag.DurationVar(&cfg.Session, "session", 0, "session time-out of the workers (default 1.5s, and 10s in mode graceful)")
	only := flag.String("only", "", "`kinds` of faults that happen, separated by commas, as the log names them (default all of the mode)")
	flag.Parse() //nolint:revive // this is the main package
	cfg.Brokers, cfg.Worker, cfg.Mode, cfg.NodeCommand = strings.Split(*brokers, ","), []string{*worker}, chaos.Mode(*mode), strings.Fields(*nodes)
	if *kills < 0 {
		*kills = chaos.DefaultKills(cfg.Mode)
	}
	cfg.Faults = chaos.DefaultFaults(cfg.Mode, *kills)
	if kinds := strings.FieldsFunc(*only, func(r rune) bool { return r == ',' }); len(kinds) > 0 {
		if cfg.Faults, err = cfg.Faults.Only(kinds); err != nil {
			return cfg, fmt.Errorf("-only: %w", err)
		}
	}
	if cfg.Links = parseLinks(*links); len(cfg.Links) == 0 {
		cfg.Faults.Cuts = 0
	}
	if len(cfg.NodeCommand) == 0 {
		cfg.Faults.Brokers = 0
	}
	return cfg, nil
}

func parseLinks(list string) (links []chaos.Link) {
	for _, link := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		worker, broker, _ := strings.Cut(link, "=")
		links = append(links, chaos.Link{Worker: worker, Broker: broker})
	}
	return links
}

func run(cfg chaos.Config) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log, err := os.Create(filepath.Join(cfg.Dir, "chaos.log"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return notDone
	}
	defer func() { _ = log.Close() }()
	cfg.Log = log
	return report(ctx, cfg, io.MultiWriter(os.Stdout, log))
}

func report(ctx context.Context, cfg chaos.Config, out io.Writer) int {
	result, err := chaos.Run(ctx, cfg)
	if err != nil {
		fmt.Fprintln(out, "chaos: the run could not be done:", err)
		return notDone
	}
	fmt.Fprint(out, result.Report.List(), result.Details())
	status := held
	if err := result.Broken(); err != nil {
		fmt.Fprintf(out, "chaos: broken with seed %d: %v\n", cfg.Seed, err)
		status = broken
	}
	fmt.Fprintln(out, result.Line())
	return status
}
