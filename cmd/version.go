package cmd

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versionDocument is what a program was built of. What is not known is left
// out.
type versionDocument struct {
	Program   string `json:"program"`
	Module    string `json:"module,omitempty"`
	Version   string `json:"version,omitempty"`
	Commit    string `json:"commit,omitempty"`
	Time      string `json:"time,omitempty"`     // of the commit
	Modified  bool   `json:"modified,omitempty"` // built of files that are not committed
	Penstock  string `json:"penstock,omitempty"`
	Go        string `json:"go"`
	Platform  string `json:"platform"`
	Sarama    string `json:"sarama,omitempty"`
	Watermill string `json:"watermill,omitempty"`
}

func (a *app) version() *cobra.Command {
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the program and of what it is built of",
		Long:    "Version prints the version of the program's module, the commit that it was built\nfrom, and the versions of Penstock, Go, sarama and Watermill.",
		Example: a.example("{} version", "{} version --json"),
		Args:    cobra.NoArgs,
	}
	asJSON := c.Flags().Bool(jsonFlag, false, "print JSON")
	return a.does(c, func(context.Context, []string) error {
		info, _ := debug.ReadBuildInfo() // nil in a binary that was built without modules
		v := versionOf(a.name, info)
		if *asJSON {
			a.stdout.document(v)
			return nil
		}
		a.printVersion(v)
		return nil
	})
}

const (
	penstockModule  = "github.com/penstock/penstock"
	saramaModule    = "github.com/IBM/sarama"
	watermillModule = "github.com/ThreeDotsLabs/watermill"
)

func versionOf(name string, info *debug.BuildInfo) versionDocument {
	v := versionDocument{Program: name, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return v
	}
	v.Module, v.Version = info.Main.Path, info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		for m.Replace != nil {
			m = &debug.Module{Path: m.Path, Version: m.Replace.Version, Replace: m.Replace.Replace}
		}
		switch m.Path {
		case penstockModule:
			v.Penstock = m.Version
		case saramaModule:
			v.Sarama = m.Version
		case watermillModule:
			v.Watermill = m.Version
		}
	}
	return v
}

func (a *app) printVersion(v versionDocument) {
	commit := v.Commit
	if v.Modified {
		commit += ", with changes that are not committed"
	}
	for _, line := range []struct{ name, value string }{
		{v.Program, v.Version},
		{"module", v.Module},
		{"commit", commit},
		{"penstock", v.Penstock},
		{"go", v.Go + " " + v.Platform},
		{"sarama", v.Sarama},
		{"watermill", v.Watermill},
	} {
		if line.value != "" {
			fmt.Fprintf(a.stdout, "%-10s %s\n", line.name, line.value)
		}
	}
}
