package cmd

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// configDocument is a setting for scripts.
type configDocument struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"` // default, environment, a file's name, or flag
}

func (a *app) config() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Show the settings of a run, and where each comes from",
		Long: `Config shows what a run with the same flags, environment and file would have in
force: each setting, and whether it is its default or comes from a flag, from the
environment or from a file. Secrets are not shown. It needs no cluster.

A file of settings is YAML: the names of flags and their values, as in

  brokers: [kafka-1:9092, kafka-2:9092]
  compression: zstd
  stop-timeout: 1m`,
		Example: a.example("{} config", "{} config --config production.yaml --json"),
		Args:    cobra.NoArgs,
	}
	newRunFlags(c)
	a.completeFlag(c, stageFlag, stageNames)
	a.completeFlag(c, sourceFlag, sourceNames)
	a.does(c, func(context.Context, []string) error {
		documents := settingsInForce(c.Flags())
		// Of a run, too, the flag says how its summary is printed: here, how this is.
		if asJSON, err := c.Flags().GetBool(jsonFlag); err == nil && asJSON {
			a.stdout.document(documents)
			return nil
		}
		t := &table{head: []string{"SETTING", "VALUE", "FROM"}, cut: 1}
		for _, d := range documents {
			t.add(d.Name, d.Value, d.From)
		}
		t.write(a.stdout)
		return nil
	})
	return a.buildsPipelines(c)
}

// passwordVariables are the variables that hold passwords for which there is no flag, by
// the flags that name files of them.
var passwordVariables = map[string]string{
	saslPasswordFileFlag:     passwordVariable,
	registryPasswordFileFlag: registryPasswordVariable,
}

// hidden stands for a secret.
const hidden = "(hidden)"

func settingsInForce(flags *pflag.FlagSet) []configDocument {
	documents := []configDocument{}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == helpFlag {
			return
		}
		d := configDocument{Name: f.Name, Value: plainValue(f), From: "default"}
		switch file := fileOf(f); {
		case isFromVariable(f):
			d.From = "environment"
		case file != "":
			d.From = file
		case f.Changed:
			d.From = "flag"
		}
		if d.Value != "" && isSecret(f.Name) {
			d.Value = hidden
		}
		d.Value = withoutPasswords(d.Value)
		documents = append(documents, d)
		if password := passwordVariables[f.Name]; password != "" && os.Getenv(password) != "" {
			documents = append(documents, configDocument{Name: strings.TrimSuffix(f.Name, "-file"), Value: hidden, From: "environment"})
		}
	})
	return documents
}

// isSecret tells by its name whether a flag, which may be a program's own, holds a
// secret. That of a file is none.
func isSecret(name string) bool {
	if strings.HasSuffix(name, "-file") {
		return false
	}
	for _, word := range []string{"password", "secret", "token", "private-key"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
