package cmd

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"
)

// invocation is how the user starts this program.
func invocation(name string) string {
	info, ok := debug.ReadBuildInfo()
	file, err := os.Executable()
	if !ok || err != nil {
		return name
	}
	return invocationOf(name, file, info.Path)
}

// invocationOf tells how a program is started that is in file and was built of
// the package. What `go run` built is in a temporary directory or in the build
// cache, under a name that is not to be typed; what it built of files, and not
// of a package, has no path that could be told.
func invocationOf(name, file, pkg string) string {
	isGoRun := strings.Contains(filepath.ToSlash(file), "/go-build") && !strings.HasSuffix(pkg, ".test")
	if !isGoRun || pkg == "" || pkg == "command-line-arguments" {
		return name
	}
	return "go run " + pkg
}

// commandLine is a command of this program with those of the flags that were
// given to this one and that it takes too. What the environment set, it will
// set again.
func commandLine(name, command string, flags *pflag.FlagSet, take func(flag string) bool) string {
	words := []string{invocation(name), command}
	flags.Visit(func(f *pflag.Flag) {
		if take(f.Name) && !isFromVariable(f) {
			words = append(words, "--"+f.Name+"="+shellQuote(plainValue(f)))
		}
	})
	return strings.Join(words, " ")
}

// plainValue is the value of a flag as it is given.
func plainValue(f *pflag.Flag) string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return strings.Join(list.GetSlice(), ",")
	}
	return f.Value.String()
}

// shellQuote quotes a word for a POSIX shell where it needs that.
func shellQuote(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=@%+"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
