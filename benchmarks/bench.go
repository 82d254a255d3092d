package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// bench measures the case on each broker, prints what it finds, and last of all
// a line a broker.
func bench(ctx context.Context, s settings, out io.Writer) error {
	root, err := repositoryRoot()
	if err != nil {
		return err
	}
	report := newReport(s)
	for _, name := range s.Brokers {
		b, err := startBroker(ctx, name, root)
		if err != nil {
			return err
		}
		figures, err := measure(ctx, s, b, out)
		if err := errors.Join(err, b.stop()); err != nil {
			return fmt.Errorf("on %s: %w", name, err)
		}
		report.add(b, figures)
	}
	report.LoadAverage = loadAverage()
	report.table(out)
	for _, b := range report.Brokers {
		fmt.Fprintln(out, line(s.Case, b))
	}
	if s.Results == "" {
		return nil
	}
	return report.write(s.Results)
}

func startBroker(ctx context.Context, name, root string) (*startedBroker, error) {
	if name == realKafka {
		return startKafka(ctx, root)
	}
	return startEmbedded(ctx)
}

// repositoryRoot is the folder with the framework's scripts, from where
// `make bench` runs or a folder below.
func repositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "scripts", "kafka.sh")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("run it in the repository: scripts/kafka.sh is not found above the working directory")
		}
	}
}

// measure runs the entrants in turn, round after round.
func measure(ctx context.Context, s settings, b *startedBroker, out io.Writer) (map[string][]sample, error) {
	c, err := connect(b.addrs)
	if err != nil {
		return nil, err
	}
	defer c.close()
	filled := map[string]bool{}
	samples := map[string][]sample{}
	for round := range s.Rounds {
		for _, e := range s.entrants() {
			j := s.job(b, e, round)
			if !filled[j.Input] {
				if err := c.makeTopic(ctx, j.inputTopic(), e.Load.Partitions); err != nil {
					return nil, err
				}
				if err := c.fill(ctx, j.inputTopic(), s.Messages, e.Load.Keys); err != nil {
					return nil, err
				}
				filled[j.Input] = true
			}
			one, err := c.runOne(ctx, s, j)
			if err != nil {
				return nil, fmt.Errorf("round %d of %s: %w", round+1, e.Name, err)
			}
			fmt.Fprintf(out, "%s round %d %-8s %9.0f msg/s  %6.2f µs CPU  %6.2f allocs  %5.0f B  %4.0f B out  uncommitted %d\n",
				b.name, round+1, e.Name, one.Rate, one.CPU, one.Allocs, one.AllocBytes, one.OutputBytes, one.Uncommitted)
			samples[e.Name] = append(samples[e.Name], one)
		}
	}
	return samples, nil
}

// job is what an entrant does in a round. Entrants of one kind of input share
// its topic.
func (s settings) job(b *startedBroker, e entrant, round int) job {
	j := job{
		Contestant: e.Contestant, Brokers: b.addrs, Load: e.Load,
		Run:      fmt.Sprintf("%s-%d", e.Name, round+1),
		Input:    fmt.Sprintf("in-%d-%d", e.Load.Keys, e.Load.Partitions),
		Messages: s.Messages / max(1, e.Load.Share),
	}
	if s.Profile != "" {
		j.Profile = filepath.Join(s.Profile, fmt.Sprintf("%s-%s-%s.prof", b.name, s.Case.Name, j.Run))
	}
	return j
}

// runOne runs a contestant in a process of its own and checks what it wrote.
func (c *cluster) runOne(ctx context.Context, s settings, j job) (sample, error) {
	if err := c.makeTopic(ctx, j.outputTopic(), j.Load.Partitions); err != nil {
		return sample{}, err
	}
	given, err := json.Marshal(j)
	if err != nil {
		return sample{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, runLimit+time.Minute)
	defer cancel()
	cmd, err := again(ctx, roleContestant)
	if err != nil {
		return sample{}, err
	}
	cmd.Env = append(os.Environ(), "GOGC="+s.GOGC)
	cmd.Stdin = bytes.NewReader(given)
	told, err := cmd.Output()
	if err != nil {
		return sample{}, fmt.Errorf("the contestant's process: %w", err)
	}
	var m measurement
	if err := json.Unmarshal(told, &m); err != nil {
		return sample{}, fmt.Errorf("read the measurement: %w", err)
	}
	checked, err := c.check(ctx, j, s.Messages)
	if err != nil {
		return sample{}, fmt.Errorf("the outputs are wrong: %w", err)
	}
	topics := []string{j.outputTopic()}
	if j.isOurs() {
		topics = append(topics, j.outputTopic()+".poison")
	}
	if err := c.deleteTopics(ctx, topics...); err != nil {
		return sample{}, err
	}
	return newSample(m, checked), nil
}
