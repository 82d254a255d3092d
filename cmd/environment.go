package cmd

import (
	"os"
	"strings"

	"github.com/spf13/pflag"
)

const environmentHelp = `Each flag can also be set by an environment variable, --data-dir by
PENSTOCK_DATA_DIR, and in the file that --config names. A flag wins over its
variable, and that over the file; an empty variable sets nothing.
`

// fromVariable is the annotation of a flag that the environment has set.
const fromVariable = "penstock/from-variable"

// variable is the environment variable of a flag.
func variable(flag string) string {
	return "PENSTOCK_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readEnvironment sets the flags that were not given from the environment.
func readEnvironment(flags *pflag.FlagSet) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		value := os.Getenv(variable(f.Name))
		if err != nil || f.Changed || value == "" || f.Name == helpFlag {
			return
		}
		if e := flags.Set(f.Name, value); e != nil {
			err = wrongUse("the environment variable %s does not fit: %w", variable(f.Name), e)
			return
		}
		err = flags.SetAnnotation(f.Name, fromVariable, nil)
	})
	return err
}

// given names a flag as its user gave it: by itself, by its variable, or in a file.
func given(flags *pflag.FlagSet, name string) string {
	f := flags.Lookup(name)
	if f == nil {
		return "--" + name
	}
	switch file := fileOf(f); {
	case isFromVariable(f):
		return variable(name)
	case file != "":
		return name + " in " + file
	default:
		return "--" + name
	}
}

func isFromVariable(f *pflag.Flag) bool {
	_, is := f.Annotations[fromVariable]
	return is
}
