package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

const (
	configFlag = "config"

	// fromFile is the annotation of a flag that a file has set.
	fromFile = "penstock/from-file"

	// maxConfigFile is far more than a file of settings can need, in bytes.
	maxConfigFile = 1 << 20
)

// readConfigFile sets the flags that neither were given nor are in the environment
// from the file that --config names. It may hold settings of other commands too.
func readConfigFile(c *cobra.Command) error {
	file, err := c.Flags().GetString(configFlag)
	if err != nil || file == "" {
		return nil //nolint:nilerr // a command without the flag reads no file
	}
	settings, err := parseConfigFile(file)
	if err != nil {
		return wrongUse("%s: %w", given(c.Flags(), configFlag), err)
	}
	known := allFlags(c.Root())
	var wrong []error
	for _, s := range settings {
		f := c.Flags().Lookup(s.name)
		switch {
		case !slices.Contains(known, s.name) || s.name == helpFlag || s.name == configFlag:
			wrong = append(wrong, fmt.Errorf("%s:%d: there is no flag --%s", file, s.line, s.name))
		case f == nil || f.Changed:
		default:
			if err := setFromFile(c.Flags(), f, s, file); err != nil {
				wrong = append(wrong, fmt.Errorf("%s:%d: %s: %w", file, s.line, s.name, err))
			}
		}
	}
	if len(wrong) > 0 {
		return wrongUse("%w", errors.Join(wrong...))
	}
	return nil
}

func setFromFile(flags *pflag.FlagSet, f *pflag.Flag, s setting, file string) error {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		if err := list.Replace(s.values); err != nil {
			return err
		}
		f.Changed = true
	} else {
		if len(s.values) != 1 {
			return errors.New("it has one value, not a list")
		}
		if err := flags.Set(f.Name, s.values[0]); err != nil {
			return err
		}
	}
	return flags.SetAnnotation(f.Name, fromFile, []string{file})
}

// fileOf is the file that has set a flag, or "".
func fileOf(f *pflag.Flag) string {
	if of := f.Annotations[fromFile]; len(of) > 0 {
		return of[0]
	}
	return ""
}

// setting is one line of a file.
type setting struct {
	name   string
	values []string
	line   int
}

// parseConfigFile reads a mapping of names to values, or to lists of values.
func parseConfigFile(file string) ([]setting, error) {
	r, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	text, err := io.ReadAll(io.LimitReader(r, maxConfigFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", file, err)
	case len(text) > maxConfigFile:
		return nil, fmt.Errorf("%s is larger than %d bytes: is it a file of settings?", file, maxConfigFile)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("%s: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(root.Content) == 0 { // it is empty, or has comments alone
		return nil, nil
	}
	top := root.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: settings are lines of name: value", file, top.Line)
	}
	var settings []setting
	for i := 0; i+1 < len(top.Content); i += 2 {
		s := setting{name: top.Content[i].Value, line: top.Content[i].Line}
		if s.values, err = plain(top.Content[i+1]); err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", file, s.line, s.name, err)
		}
		settings = append(settings, s)
	}
	return settings, nil
}

// plain is a value, or a list of values, as text.
func plain(n *yaml.Node) ([]string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return []string{n.Value}, nil
	case yaml.SequenceNode:
		values := []string{}
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("its list has something in it that is no plain value")
			}
			values = append(values, item.Value)
		}
		return values, nil
	default:
		return nil, errors.New("it is no plain value, nor a list of them")
	}
}

// allFlags are the names of the flags of all commands.
func allFlags(root *cobra.Command) []string {
	var names []string
	note := func(f *pflag.Flag) { names = append(names, f.Name) }
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(note)
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
	return names
}
