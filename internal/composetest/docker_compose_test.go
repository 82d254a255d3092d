// Package composetest checks docker-compose.yml where there is no Docker to try it.
package composetest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// The listeners of the service kafka, by name: where each binds in the container,
// and what the broker tells clients to connect to.
type listeners struct {
	bound, advertised map[string]string
}

func TestEveryPublishedPortIsOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	published := 0
	for name, service := range load(t).Services {
		for _, port := range service.Ports {
			published++
			require.Equal(t, "127.0.0.1", port.HostIP, "service %s publishes port %s", name, port.Published)
		}
		require.NotEqual(t, "host", service.NetworkMode, "service %s would listen on every interface", name)
	}
	require.Positive(t, published)
}

func TestProgramsOnThisMachineAreToldThePublishedAddress(t *testing.T) {
	t.Parallel()
	for name, variables := range map[string][]string{
		"19092": nil,
		"29092": {"PENSTOCK_KAFKA_PORT=29092"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := kafka(t, variables...)
			of := listenersOf(t, service)
			require.Len(t, service.Ports, 1)
			port := service.Ports[0]
			require.Equal(t, name, port.Published)
			require.Equal(t, net.JoinHostPort("127.0.0.1", port.Published), of.advertised["HOST"])
			require.Equal(t, net.JoinHostPort("", strconv.Itoa(int(port.Target))), of.bound["HOST"])
		})
	}
}

func TestOtherContainersAreToldTheServicesName(t *testing.T) {
	t.Parallel()
	service := kafka(t)
	of := listenersOf(t, service)
	_, port, err := net.SplitHostPort(of.bound["INTERNAL"])
	require.NoError(t, err)
	require.Equal(t, net.JoinHostPort(service.Name, port), of.advertised["INTERNAL"])
	require.Contains(t, service.HealthCheck.Test, of.advertised["INTERNAL"])
}

// Controllers are for the broker alone: not published, not advertised, not reachable.
func TestTheControllerStaysInsideTheContainer(t *testing.T) {
	t.Parallel()
	service := kafka(t)
	of := listenersOf(t, service)
	require.NotContains(t, of.advertised, "CONTROLLER")
	require.True(t, strings.HasPrefix(of.bound["CONTROLLER"], "localhost:"), of.bound["CONTROLLER"])
	require.Equal(t, "1@"+of.bound["CONTROLLER"], setting(t, service, "controller.quorum.voters"))
}

func TestDataIsKeptInANamedVolume(t *testing.T) {
	t.Parallel()
	project := load(t)
	service := project.Services["kafka"]
	require.Len(t, service.Volumes, 1)
	volume := service.Volumes[0]
	require.Equal(t, types.VolumeTypeVolume, volume.Type)
	require.Contains(t, project.Volumes, volume.Source)
	require.Equal(t, volume.Target, setting(t, service, "log.dirs"))
}

func TestTheBrokerIsThatOfMakeKafka(t *testing.T) {
	t.Parallel()
	service := kafka(t)

	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^export KAFKA_VERSION := (\S+)$`).FindSubmatch(makefile)
	require.NotNil(t, version)
	require.Equal(t, "apache/kafka:"+string(version[1]), service.Image)

	// What differs has to: a container has addresses and folders of its own.
	want := scriptProperties(t)
	for _, own := range []string{
		"listeners", "advertised.listeners", "listener.security.protocol.map",
		"inter.broker.listener.name", "controller.quorum.voters", "log.dirs",
	} {
		require.Contains(t, want, own)
		delete(want, own)
	}
	require.NotEmpty(t, want)
	got := map[string]string{}
	for name := range want {
		got[name] = setting(t, service, name)
	}
	require.Equal(t, want, got)
}

// load reads the file as Docker does, with all profiles, its schema and consistency
// checked.
func load(t *testing.T, variables ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")},
		cli.WithEnv(variables), cli.WithInterpolation(true), cli.WithConsistency(true), cli.WithProfiles([]string{"*"}))
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	return project
}

func kafka(t *testing.T, variables ...string) types.ServiceConfig {
	t.Helper()
	service, err := load(t, variables...).GetService("kafka")
	require.NoError(t, err)
	return service
}

// setting returns a property of the broker, which the image takes from a variable.
func setting(t *testing.T, service types.ServiceConfig, property string) string {
	t.Helper()
	name := "KAFKA_" + strings.ToUpper(strings.ReplaceAll(property, ".", "_"))
	value := service.Environment[name]
	require.NotNil(t, value, "%s is not set", name)
	return *value
}

func listenersOf(t *testing.T, service types.ServiceConfig) listeners {
	t.Helper()
	return listeners{
		bound:      addresses(t, setting(t, service, "listeners")),
		advertised: addresses(t, setting(t, service, "advertised.listeners")),
	}
}

// addresses parses NAME://host:port,NAME://host:port.
func addresses(t *testing.T, list string) map[string]string {
	t.Helper()
	byName := map[string]string{}
	for listener := range strings.SplitSeq(list, ",") {
		name, address, found := strings.Cut(listener, "://")
		require.True(t, found, "%q is not NAME://host:port", listener)
		byName[name] = address
	}
	return byName
}

// scriptProperties returns what `make kafka` gives a single node.
func scriptProperties(t *testing.T) map[string]string {
	t.Helper()
	script := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "kafka-properties.sh"), "1", "1", "19092", "/data")
	output, err := script.Output()
	require.NoError(t, err)
	properties := map[string]string{}
	for line := range strings.Lines(string(output)) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found {
			properties[name] = value
		}
	}
	return properties
}
