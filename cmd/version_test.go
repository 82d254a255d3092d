package cmd_test

import (
	"encoding/json"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
)

func TestVersionTellsWhatTheProgramIsBuiltOf(t *testing.T) {
	t.Parallel()
	info := &debug.BuildInfo{
		Main: debug.Module{Path: "example.com/shop", Version: "v1.2.3"},
		Deps: []*debug.Module{
			{Path: "github.com/penstock/penstock", Version: "v0.1.0"},
			{Path: "github.com/IBM/sarama", Version: "v1.61.1"},
			{Path: "github.com/ThreeDotsLabs/watermill", Version: "v1.5.1", Replace: &debug.Module{Path: "../watermill", Version: "v9"}},
		},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}},
	}
	v := cmd.VersionOf("shop", info)
	require.Equal(t, "v1.2.3", v.Version)
	require.Equal(t, "abc", v.Commit)
	require.True(t, v.Modified)
	require.Equal(t, "v0.1.0", v.Penstock)
	require.Equal(t, "v1.61.1", v.Sarama)
	require.Equal(t, "v9", v.Watermill, "what was really built in")
	require.NotEmpty(t, cmd.VersionOf("shop", nil).Go, "also of a binary that says nothing")

	var printed map[string]any
	require.NoError(t, json.Unmarshal([]byte(ok(t, operator, "version", "--json")), &printed))
	require.Equal(t, "penstock", printed["program"])
	require.Contains(t, ok(t, operator, "version"), "\ngo         go1.")
}
