package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// entry is what the pipes with a schema carry.
type entry struct {
	Account string `json:"account"`
	Cents   int    `json:"cents"`
}

const entrySchema = `{"type":"record","name":"Entry","fields":[{"name":"account","type":"string"},{"name":"cents","type":"int"}]}`

// booked is a source that ends by itself.
type booked[T any] []T

func (booked[T]) Finite() bool { return true }

func (b booked[T]) Source(ctx context.Context, emit pipeline.Emit[T]) error {
	for i, e := range b {
		if err := emit(ctx, pipeline.Trigger[T]{Body: e, ID: fmt.Sprint("booked-", i)}); err != nil {
			return err
		}
	}
	return nil
}

// ledger is a program of two pipes with a schema, one that is read by a stage and one that
// it writes.
func ledger(entries ...entry) cmd.Program {
	return ledgerOf("ledger", entrySchema, func(e entry) string { return e.Account }, entries...)
}

func ledgerOf[T any](name, schema string, key func(T) string, entries ...T) cmd.Program {
	p := pipeline.New(name)
	in := pipeline.Source(p, "booked", booked[T](entries), pipeline.Codec(schemas.Avro[T](schema)), pipeline.Partitions(1), pipeline.Key(key))
	pipeline.Stage(in, "check", filters.Map(func(_ context.Context, e T) (T, error) { return e, nil }),
		pipeline.Named("checked"), pipeline.Partitions(1), pipeline.Open())
	return cmd.Program{Name: "ledger", Pipelines: func() ([]*pipeline.Pipeline, error) { return []*pipeline.Pipeline{p}, nil }}
}

func newRegistry(t testing.TB, options ...srfake.Option) (fake *srfake.Registry, flag string) {
	t.Helper()
	fake = srfake.New(options...)
	t.Cleanup(fake.Close)
	return fake, "--registry=" + fake.URL()
}

// onBroker makes the topics of a program on an embedded broker.
func onBroker(t testing.TB, p cmd.Program) (addrs []string, brokers string) {
	t.Helper()
	addrs = brokertest.New(t).Addrs()
	brokers = "--brokers=" + strings.Join(addrs, ",")
	ok(t, p, "topics", "apply", brokers)
	return addrs, brokers
}

func TestARunRegistersWhatItWritesAndTailDecodesIt(t *testing.T) {
	t.Parallel()
	fake, registry := newRegistry(t)
	p := ledger(entry{"ada", 7})
	addrs, brokers := onBroker(t, p)
	ok(t, p, "run", "--drain", brokers, registry)
	require.True(t, fake.SubjectExists("ledger.booked-value"))
	require.True(t, fake.SubjectExists("ledger.checked-value"))
	schema, found := fake.GetSchema("ledger.checked-value", 1)
	require.True(t, found)
	for _, topic := range []string{"ledger.booked", "ledger.checked"} {
		records := brokertest.ReadAll(t, addrs, topic)
		require.Len(t, records, 1)
		require.Equal(t, []byte{0, 0, 0, 0, byte(schema.ID), 6, 'a', 'd', 'a', 14}, records[0].Value, topic)
	}

	// Another process knows nothing yet.
	reader := ledger()
	got := tailLines(t, ok(t, reader, "tail", "checked", brokers, registry, "--json"))
	require.Len(t, got, 1)
	require.JSONEq(t, `{"account":"ada","cents":7}`, string(got[0].Value))
	require.Empty(t, got[0].Error)
	got = tailLines(t, ok(t, ledger(), "tail", "checked", brokers, "--json"))
	require.Contains(t, got[0].Error, "no schema registry is configured")
}

func TestOnlyWhoWritesAPipeRegistersItsSchema(t *testing.T) {
	t.Parallel()
	fake, registry := newRegistry(t)
	p := ledger(entry{"ada", 7})
	_, brokers := onBroker(t, p)
	ok(t, p, "tail", "booked", brokers, registry)
	require.False(t, fake.SubjectExists("ledger.booked-value"))
	ok(t, p, "run", "--drain", "--stage", "check", brokers, registry)
	require.False(t, fake.SubjectExists("ledger.booked-value"), "the stage reads it")
	require.True(t, fake.SubjectExists("ledger.checked-value"))

	fake, registry = newRegistry(t)
	ok(t, ledger(), "trigger", "booked", "--value", `{"account":"ada","cents":1}`, brokers, registry)
	require.True(t, fake.SubjectExists("ledger.booked-value"))

	fake, registry = newRegistry(t)
	ok(t, ledger(entry{"ada", 7}), "run", "--drain", "--source", "booked", brokers, registry)
	require.True(t, fake.SubjectExists("ledger.booked-value"))
	require.False(t, fake.SubjectExists("ledger.checked-value"), "no stage runs")
}

func TestATriggerIsWrittenWithTheSchemasID(t *testing.T) {
	t.Parallel()
	fake, registry := newRegistry(t)
	fake.SeedSchema("ledger.booked-value", 1, 300, sr.Schema{Schema: entrySchema})
	p := ledger()
	addrs, brokers := onBroker(t, p)
	ok(t, p, "trigger", "booked", "--value", `{"account":"ada","cents":-1}`, brokers, registry)
	records := brokertest.ReadAll(t, addrs, "ledger.booked")
	require.Equal(t, []byte{0, 0, 0, 1, 44, 6, 'a', 'd', 'a', 1}, records[0].Value)
	require.Equal(t, "ada", string(records[0].Key))
	require.Empty(t, ok(t, operator, "tail", "ledger.booked", brokers, "--last=0"), "it needs no registry, and no flag of one")
}

// Both ids are in the reason, and what is behind goes on.
func TestARecordOfASchemaThatDoesNotFitIsPoison(t *testing.T) {
	t.Parallel()
	fake, registry := newRegistry(t)
	fake.SeedSchema("elsewhere", 1, 41, sr.Schema{Schema: `{"type":"record","name":"Entry","fields":[{"name":"account","type":"string"}]}`})
	fake.SeedSchema("ledger.booked-value", 1, 42, sr.Schema{Schema: entrySchema})
	p := ledger()
	addrs, brokers := onBroker(t, p)
	brokertest.Produce(t, addrs, "ledger.booked", brokertest.Record{Value: []byte{0, 0, 0, 0, 41, 6, 'a', 'd', 'a'}})
	ok(t, p, "trigger", "booked", "--value", `{"account":"bob","cents":3}`, brokers, registry)
	ok(t, p, "run", "--drain", brokers, registry)
	require.Contains(t, ok(t, p, "poison", "show", "check", "0", brokers), "written with schema 41 and read with schema 42: ")
	require.Contains(t, ok(t, p, "tail", "checked", brokers, registry), `{"account":"bob","cents":3}`)
}

// The stage has three attempts.
func TestARegistryThatIsDownForAWhileCostsNoMessage(t *testing.T) {
	t.Parallel()
	fake, registry := newRegistry(t)
	fake.SeedSchema("elsewhere", 1, 41, sr.Schema{Schema: `{"type":"record","name":"Entry","fields":[{"name":"cents","type":"int"},{"name":"account","type":"string"}]}`})
	var asked atomic.Int32
	fake.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/schemas/ids/41" || asked.Add(1) > 6 {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	p := ledger()
	addrs, brokers := onBroker(t, p)
	brokertest.Produce(t, addrs, "ledger.booked", brokertest.Record{Value: []byte{0, 0, 0, 0, 41, 14, 6, 'a', 'd', 'a'}})
	ok(t, p, "run", "--drain", brokers, registry)
	require.Contains(t, ok(t, ledger(), "tail", "checked", brokers, registry), `{"account":"ada","cents":7}`)
}

func TestAReadOnlyRegistryGetsNoSchema(t *testing.T) {
	t.Parallel()
	fake, registry := newRegistry(t)
	p := ledger()
	_, brokers := onBroker(t, p)
	got := call(t, p, "run", "--drain", "--registry-read-only", brokers, registry)
	require.Equal(t, cmd.ExitFailed, got.code)
	require.Contains(t, got.err, "subject ledger.booked-value")
	require.Contains(t, got.err, "put it there with: ledger schemas register ledger.booked")
	require.False(t, fake.SubjectExists("ledger.booked-value"))
	ok(t, p, "schemas", "register", registry)
	ok(t, p, "run", "--drain", "--registry-read-only", brokers, registry)
}

func TestARegistryThatSaysNoEndsTheCommandInOneSentence(t *testing.T) {
	t.Parallel()
	refuses, refusing := newRegistry(t)
	refuses.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprint(w, `{"error_code":409,"message":"field cents has no default"}`)
		return true
	})
	_, locked := newRegistry(t, srfake.WithAuth("Basic dXNlcjpwYXNz"))
	nothing, busy := newRegistry(t)
	nothing.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	p := ledger()
	_, brokers := onBroker(t, p)
	for registry, want := range map[string][]string{
		refusing:                        {"subject ledger.booked-value", "field cents has no default", `"ledger schemas check ledger.booked" tells`},
		locked:                          {"it refuses who asks", "check --registry-user and the password"},
		busy:                            {"status 503", "check --registry, and whether a schema registry runs there"},
		"--registry=http://127.0.0.1:1": {"cannot reach the schema registry at http://127.0.0.1:1 (dial tcp 127.0.0.1:1", "check --registry, and whether it runs"},
	} {
		for _, args := range [][]string{{"run", "--drain"}, {"trigger", "booked", "--value", `{"account":"ada","cents":1}`}} {
			got := call(t, p, append(args, brokers, registry)...)
			require.Equal(t, cmd.ExitFailed, got.code, "%v", args)
			require.Empty(t, got.out)
			for _, text := range want {
				require.Contains(t, got.err, text, "%v", args)
			}
			_, sentence, _ := strings.Cut(got.err, "ledger: ")
			require.Equal(t, 1, strings.Count(sentence, "\n"), "one sentence: %s", sentence)
		}
	}
	require.Empty(t, brokerRecords(t, p, brokers), "nothing was stored")
}

func brokerRecords(t testing.TB, p cmd.Program, brokers string) string {
	t.Helper()
	return ok(t, p, "tail", "booked", "--all", "--json", brokers)
}

func TestWrongFlagsOfARegistry(t *testing.T) {
	t.Parallel()
	secret := secretFile(t, password)
	const plain, tls = "--registry=http://127.0.0.1:1", "--registry=https://127.0.0.1:1"
	for want, args := range map[string][]string{
		"--registry-user says nothing without --registry":             {"--registry-user", "ada"},
		"--registry-read-only says nothing without --registry":        {"--registry-read-only"},
		"--registry is empty":                                         {"--registry="},
		"--registry-user needs a password":                            {plain, "--registry-user", "ada"},
		"--registry-password-file needs a user":                       {plain, "--registry-password-file", secret},
		"--registry-password-file: open":                              {plain, "--registry-user", "ada", "--registry-password-file", "there-is-none"},
		"--registry-ca is for TLS":                                    {plain, "--registry-ca", secret},
		"has no certificate in PEM":                                   {tls, "--registry-ca", secret},
		"a client certificate and its key are given together":         {tls, "--registry-cert", secret},
		"--registry: schema registry: URL 1, of host":                 {"--registry", "ftp://127.0.0.1:8081"},
		"URL 1 cannot be read: write it as http://127.0.0.1:8081":     {"--registry", "127.0.0.1:8081"},
		"--registry: schema registry: URL 2 cannot be read":           {plain, "--registry", "http://ada:" + password + "@a b\x7f"},
		"--registry: schema registry: URL 2 has another user":         {plain, "--registry", "http://ada:" + password + "@b"},
		"no schema registry is named: give --registry, or set PENSTO": nil,
	} {
		commands := [][]string{{"run"}, {"tail", "booked"}, {"trigger", "booked", "--value", "{}"}}
		if args == nil {
			commands = [][]string{{"schemas", "check"}, {"schemas", "register"}, {"schemas", "list"}}
		}
		for _, command := range commands {
			got := call(t, ledger(), append(command, args...)...)
			require.Equal(t, cmd.ExitWrongUse, got.code, "%v %v: %s", command, args, got.err)
			require.Contains(t, got.err, want)
			require.NotContains(t, got.err, password)
		}
	}
}

func TestAPasswordForTheRegistryComesFromAFileOrAVariable(t *testing.T) {
	_, registry := newRegistry(t, srfake.WithAuth("Basic YWRhOmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==")) // ada and password
	file := secretFile(t, password)
	got := call(t, ledger(), "schemas", "register", registry, "--registry-user", "ada", "--registry-password-file", file)
	require.Equal(t, cmd.ExitOK, got.code, got.err)
	require.Contains(t, got.err, "use https")
	t.Setenv("PENSTOCK_REGISTRY_PASSWORD", password)
	t.Setenv("PENSTOCK_REGISTRY_USER", "ada")
	ok(t, ledger(), "schemas", "list", registry)
	require.Contains(t, call(t, ledger(), "schemas", "list", registry, "--registry-password-file", file).err, "the password is given twice")
	out := ok(t, ledger(), "config")
	require.NotContains(t, out, password)
	require.Regexp(t, `registry-password +\(hidden\) +environment`, out)

	t.Setenv("PENSTOCK_REGISTRY_PASSWORD", "")
	t.Setenv("PENSTOCK_REGISTRY_USER", "")
	inURL := strings.Replace(registry, "://", "://ada:"+password+"@", 1)
	got = call(t, ledger(), "schemas", "list", inURL)
	require.Equal(t, cmd.ExitOK, got.code, got.err)
	require.Contains(t, got.err, "ada:(hidden)@")
	require.NotContains(t, got.err, password)
}

func TestPasswordsInListsOfURLsAreNotShown(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"http://a:8081,http://b:8081":                                 "http://a:8081,http://b:8081",
		"http://ada@a,https://ada:" + password + "@b/apis":            "http://ada@a,https://ada:(hidden)@b/apis",
		"http://ada:" + password + "@a,http://ada:" + password + "@b": "http://ada:(hidden)@a,http://ada:(hidden)@b",
		"http://ada:@" + password + "@a":                              "http://ada:(hidden)@a",
		"http://ada:/" + password + "@a":                              "http://ada:(hidden)@a",
		"http://ada:x," + password + "@a":                             "(hidden)",
		"ada:" + password + "@a":                                      "ada:(hidden)@a",
	} {
		require.Equal(t, want, settings(t, ledger(), "--registry", given)["registry"].Value)
		require.NotContains(t, ok(t, ledger(), "config", "--registry", given), password)
	}
	file := configFile(t, "registry: ['http://ada:"+password+"@a', 'http://b']\n")
	require.Equal(t, inForce{"registry", "http://ada:(hidden)@a,http://b", file}, settings(t, ledger(), "--config", file)["registry"])
}

func TestWithoutARegistryNothingIsAskedFor(t *testing.T) {
	t.Parallel()
	p := ledger(entry{"ada", 7})
	addrs, brokers := onBroker(t, p)
	ok(t, p, "run", "--drain", brokers)
	require.Equal(t, []byte{0xc3, 1}, brokertest.ReadAll(t, addrs, "ledger.checked")[0].Value[:2])
	var list []json.RawMessage
	for line := range strings.Lines(ok(t, ledger(), "tail", "checked", "--json", brokers)) {
		list = append(list, json.RawMessage(line))
	}
	require.Len(t, list, 1)
	require.Contains(t, string(list[0]), `"value":{"account":"ada","cents":7}`)
}
