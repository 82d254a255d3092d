package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// settings are what a run can be told by environment variables.
type settings struct {
	// Case is the case to run (CASE). Defaults to "stage".
	Case benchCase

	// Messages is how many are in the input topic (MESSAGES); slow entrants are
	// measured on a part of them. Defaults to a million.
	Messages int64

	// Rounds is how often each entrant runs, in turn with the others (ROUNDS).
	// Defaults to 3.
	Rounds int

	// Contestants are those that run (CONTESTANTS), separated by commas.
	// Defaults to all of the case.
	Contestants []string

	// Brokers are what they run on (BROKERS): embedded, kafka or both. Defaults to both.
	Brokers []string

	// GOGC of the contestants. Defaults to 100, as Go does.
	GOGC string

	// Profile is a folder for CPU profiles of the contestants, "" for none (PROFILE).
	Profile string

	// Results is the file that the figures are written to, "" for none (RESULTS).
	Results string
}

const (
	embedded  = "embedded"
	realKafka = "kafka"
)

// readSettings reports every mistake.
func readSettings(getenv func(string) string) (settings, error) {
	get := func(name, otherwise string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return otherwise
	}
	s := settings{
		Brokers: strings.Split(get("BROKERS", embedded+","+realKafka), ","),
		GOGC:    get("GOGC", "100"),
		Profile: getenv("PROFILE"),
		Results: getenv("RESULTS"),
	}
	var errs []error
	number := func(name, otherwise string) int64 {
		n, err := strconv.ParseInt(get(name, otherwise), 10, 64)
		if err != nil || n < 1 {
			errs = append(errs, fmt.Errorf("%s is %q: it must be a whole number from 1", name, getenv(name)))
		}
		return n
	}
	s.Messages = number("MESSAGES", "1000000")
	s.Rounds = int(number("ROUNDS", "3"))
	for _, b := range s.Brokers {
		if b != embedded && b != realKafka {
			errs = append(errs, fmt.Errorf("BROKERS names %q: there are %s and %s", b, embedded, realKafka))
		}
	}
	name := get("CASE", "stage")
	c, ok := cases[name]
	if !ok {
		errs = append(errs, fmt.Errorf("CASE is %q: there are %s", name, strings.Join(sortedKeys(cases), ", ")))
	}
	s.Case = c
	if v := getenv("CONTESTANTS"); v != "" {
		s.Contestants = strings.Split(v, ",")
	}
	for _, name := range s.Contestants {
		if ok && !slices.ContainsFunc(c.Entrants, func(e entrant) bool { return e.Name == name }) {
			errs = append(errs, fmt.Errorf("CONTESTANTS names %q, which is not in the case %s", name, c.Name))
		}
	}
	return s, errors.Join(errs...)
}

// entrants are those of the case that were asked for.
func (s settings) entrants() []entrant {
	if len(s.Contestants) == 0 {
		return s.Case.Entrants
	}
	return slices.DeleteFunc(slices.Clone(s.Case.Entrants), func(e entrant) bool { return !slices.Contains(s.Contestants, e.Name) })
}
