package composetest

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// orders builds the program that the image has.
func orders(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "orders")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./examples/orders")
	build.Dir = root
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return binary
}

// programs are the services that run the image of the Dockerfile.
func programs(t *testing.T) types.Services {
	t.Helper()
	found := types.Services{}
	for name, service := range load(t).Services {
		if service.Build != nil {
			found[name] = service
		}
	}
	require.NotEmpty(t, found)
	return found
}

func TestTheProgramOfTheImage(t *testing.T) {
	t.Parallel()
	binary := orders(t)
	t.Run("each stage and source has a service", func(t *testing.T) {
		t.Parallel()
		eachStageHasAService(t, binary)
	})
	t.Run("settings are in force", func(t *testing.T) {
		t.Parallel()
		settingsAreInForce(t, binary)
	})
}

// node is a stage or a source.
type node struct {
	Name string `json:"name"`
}

func eachStageHasAService(t *testing.T, binary string) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), binary, "topology", "--format", "json").Output()
	require.NoError(t, err)
	var topologies []struct {
		Stages  []node `json:"stages"`
		Sources []node `json:"sources"`
	}
	require.NoError(t, json.Unmarshal(output, &topologies))
	require.Len(t, topologies, 1)

	want := []string{"topics apply"}
	for _, stage := range topologies[0].Stages {
		want = append(want, "run --stage "+stage.Name)
	}
	for _, source := range topologies[0].Sources {
		want = append(want, "run --source "+source.Name)
	}
	require.Greater(t, len(want), 2)
	got := []string{}
	for _, service := range programs(t) {
		got = append(got, strings.Join(service.Command[:min(3, len(service.Command))], " "))
	}
	require.ElementsMatch(t, want, got)
}

// The program itself reads each service's flags and variables.
func settingsAreInForce(t *testing.T, binary string) {
	t.Helper()
	for name, service := range programs(t) {
		if service.Command[0] != "run" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), binary, append([]string{"config", "--json"}, service.Command[1:]...)...)
			for variable, value := range service.Environment {
				require.NotNil(t, value, variable)
				command.Env = append(command.Env, variable+"="+*value)
			}
			output, err := command.CombinedOutput()
			require.NoError(t, err, "%s", output)
			var settings []struct {
				Name  string `json:"name"`
				Value string `json:"value"`
				From  string `json:"from"`
			}
			require.NoError(t, json.Unmarshal(output, &settings))
			inForce := map[string]string{}
			for _, s := range settings {
				if s.From != "default" {
					inForce["PENSTOCK_"+strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))] = s.Value
				}
			}
			for variable := range service.Environment {
				if strings.HasPrefix(variable, "PENSTOCK_") {
					require.Contains(t, inForce, variable, "no flag of the program has this variable")
				}
			}
		})
	}
}

func TestProgramsFindTheSchemaRegistry(t *testing.T) {
	t.Parallel()
	registry, err := load(t).GetService("apicurio")
	require.NoError(t, err)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^export APICURIO_VERSION := (\S+)$`).FindSubmatch(makefile)
	require.NotNil(t, version)
	require.Equal(t, "apicurio/apicurio-registry:"+string(version[1]), registry.Image)
	// In memory, its schemas would be gone when it restarts, and their ids in the records not.
	require.Equal(t, "kafkasql", *registry.Environment["APICURIO_STORAGE_KIND"])
	require.Equal(t, listenersOf(t, kafka(t)).advertised["INTERNAL"], *registry.Environment["APICURIO_KAFKASQL_BOOTSTRAP_SERVERS"])
	require.Equal(t, types.ServiceConditionHealthy, registry.DependsOn["kafka"].Condition)
	for name, service := range programs(t) {
		if service.Command[0] == "topics" {
			continue
		}
		require.NotNil(t, service.Environment["PENSTOCK_REGISTRY"], name)
		u, err := url.Parse(*service.Environment["PENSTOCK_REGISTRY"])
		require.NoError(t, err)
		require.Equal(t, registry.Name+":8080", u.Host)
		require.EqualValues(t, 8080, registry.Ports[0].Target)
		require.Contains(t, strings.Join(registry.HealthCheck.Test, " "), u.Path+"/subjects", "it is asked for what the programs need")
	}
}

func TestProgramsFindTheBrokerAndTheDatabase(t *testing.T) {
	t.Parallel()
	project := load(t)
	database := project.Services["postgres"]
	writers := 0
	for name, service := range programs(t) {
		require.Equal(t, listenersOf(t, kafka(t)).advertised["INTERNAL"], *service.Environment["PENSTOCK_BROKERS"], name)
		if service.Command[0] == "topics" {
			require.Equal(t, types.ServiceConditionHealthy, service.DependsOn["kafka"].Condition)
			continue
		}
		require.Equal(t, types.ServiceConditionCompletedSuccessfully, service.DependsOn["topics"].Condition, name)
		require.Equal(t, types.ServiceConditionHealthy, service.DependsOn["apicurio"].Condition, name)
		address := service.Environment["PENSTOCK_DATABASE"]
		if address == nil {
			continue
		}
		writers++
		require.Equal(t, types.ServiceConditionHealthy, service.DependsOn["postgres"].Condition, name)
		u, err := url.Parse(*address)
		require.NoError(t, err)
		require.Equal(t, "postgres:5432", u.Host)
		require.Equal(t, *database.Environment["POSTGRES_USER"], u.User.Username())
		require.Equal(t, "/"+*database.Environment["POSTGRES_USER"], u.Path, "the database is named after its user")
		require.Equal(t, *database.Environment["POSTGRES_PASSWORD"], *service.Environment["PGPASSWORD"])
	}
	require.Equal(t, 2, writers, "courier and store")
}

func TestTheDatabaseGetsItsTablesAndKeepsItsData(t *testing.T) {
	t.Parallel()
	project := load(t)
	kinds := map[string]string{}
	for _, v := range project.Services["postgres"].Volumes {
		kinds[v.Type] = v.Source
	}
	require.Contains(t, project.Volumes, kinds[types.VolumeTypeVolume])
	require.FileExists(t, kinds[types.VolumeTypeBind])
}

func TestProgramsHaveNoRightsThatTheyDoNotNeed(t *testing.T) {
	t.Parallel()
	for name, service := range programs(t) {
		require.True(t, service.ReadOnly, name)
		require.Equal(t, []string{"ALL"}, service.CapDrop, name)
		require.Contains(t, service.SecurityOpt, "no-new-privileges:true", name)
		require.Empty(t, service.Volumes, name)
	}
}

// Else a container is killed while it still finishes what it is at.
func TestAContainerMayStopForLongerThanItsProgramNeeds(t *testing.T) {
	t.Parallel()
	for name, service := range programs(t) {
		require.NotNil(t, service.StopGracePeriod, name)
		require.Greater(t, time.Duration(*service.StopGracePeriod), 30*time.Second, "%s: --stop-timeout", name)
	}
}

func TestWithoutAProfileOnlyTheBrokerStarts(t *testing.T) {
	t.Parallel()
	for name, service := range load(t).Services {
		if name == "kafka" {
			require.Empty(t, service.Profiles)
			continue
		}
		require.Equal(t, []string{"orders"}, service.Profiles, name)
	}
}

func TestImagesArePinned(t *testing.T) {
	t.Parallel()
	for name, service := range load(t).Services {
		if service.Build == nil {
			require.Regexp(t, `:\d+\.\d+[\w.-]*$`, service.Image, name)
		}
	}
	dockerfile, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	require.NoError(t, err)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod)
	require.NotNil(t, language)
	stages := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(string(dockerfile), -1)
	require.Len(t, stages, 2, "the image has the program, and not what made it")
	require.Equal(t, "golang:"+string(language[1])+"-alpine", stages[0][1])
	require.Regexp(t, `^alpine:\d+\.\d+$`, stages[1][1])
	require.True(t, slices.ContainsFunc(strings.Split(string(dockerfile), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "USER ") && line != "USER root"
	}))
}
