package pipeline_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

func TestBuildFindsEachMistake(t *testing.T) {
	t.Parallel()
	for name, test := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pipeline.New("test")
			test.declare(p)
			_, err := p.Build()
			var broken *pipeline.BuildError
			require.ErrorAs(t, err, &broken)
			require.Equal(t, "test", broken.Pipeline)
			texts := make([]string, len(broken.Problems))
			for i, problem := range broken.Problems {
				require.Regexp(t, `^mistakes(_\w+)?_test\.go:\d+$`, problem.Where)
				texts[i] = lineNumber.ReplaceAllString(problem.Text, "_test.go:LINE")
			}
			require.Len(t, texts, len(test.want), "%s", strings.Join(texts, "\n"))
			for i, want := range test.want {
				require.Contains(t, texts[i], want)
			}
		})
	}
}

var lineNumber = regexp.MustCompile(`_test\.go:\d+`)
