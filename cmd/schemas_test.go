package cmd_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/sinks"
)

// refuse has the registry refuse the schemas of a subject.
func refuse(fake *srfake.Registry, subject string) {
	fake.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.Method != http.MethodPost:
			return false
		case strings.HasPrefix(r.URL.Path, "/compatibility/subjects/"+subject+"/versions"):
			_, _ = fmt.Fprint(w, `{"is_compatible":false,"messages":["field cents has no default"]}`)
		case r.URL.Path == "/subjects/"+subject+"/versions":
			w.WriteHeader(http.StatusConflict)
			_, _ = fmt.Fprint(w, `{"error_code":409,"message":"field cents has no default"}`)
		default:
			return false
		}
		return true
	})
}

func TestSchemasAreCheckedAndRegistered(t *testing.T) {
	t.Parallel()
	fake, registry := newRegistry(t)
	fake.SeedSchema("ledger.checked-value", 1, 7, sr.Schema{Schema: `"string"`})
	require.Equal(t, `TOPIC           SUBJECT               TYPE  VERDICT      WHY
ledger.booked   ledger.booked-value   AVRO  new subject  -
ledger.checked  ledger.checked-value  AVRO  compatible   -
`, ok(t, ledger(), "schemas", "check", registry))
	require.False(t, fake.SubjectExists("ledger.booked-value"), "nothing is registered")

	require.Equal(t, `TOPIC          SUBJECT              TYPE  ID  REFUSED
ledger.booked  ledger.booked-value  AVRO  8   -
`, ok(t, ledger(), "schemas", "register", "booked", registry))
	require.JSONEq(t, `[
		{"topic":"ledger.booked","subject":"ledger.booked-value","type":"AVRO","id":8},
		{"topic":"ledger.checked","subject":"ledger.checked-value","type":"AVRO","id":8}
	]`, ok(t, ledger(), "schemas", "register", "--json", registry))
	require.JSONEq(t, `[
		{"topic":"ledger.checked","subject":"ledger.checked-value","type":"AVRO","compatible":true,"new":false,"id":8}
	]`, ok(t, ledger(), "schemas", "check", "ledger.checked", "--json", registry))
	require.Contains(t, ok(t, ledger(), "schemas", "check", registry), "registered  id 8")
}

func TestAnIncompatibleSchemaFailsTheCheckAndHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	fake, registry := newRegistry(t)
	fake.SeedSchema("ledger.booked-value", 1, 7, sr.Schema{Schema: `"string"`})
	refuse(fake, "ledger.booked-value")
	got := call(t, ledger(), "schemas", "check", registry)
	require.Equal(t, cmd.ExitFailed, got.code)
	require.Equal(t, 1, strings.Count(got.err, "\n"), "one sentence")
	require.Regexp(t, `ledger\.booked +ledger\.booked-value +AVRO +incompatible +field cents has no default`, got.out)
	require.Regexp(t, `ledger\.checked .* new subject`, got.out)
	require.Contains(t, got.err, "the schema registry would refuse the schemas of ledger.booked: change them")

	got = call(t, ledger(), "schemas", "register", registry)
	require.Equal(t, cmd.ExitFailed, got.code)
	require.Contains(t, got.err, "the schema registry refused the schemas of ledger.booked: change them")
	require.Regexp(t, `ledger\.booked +ledger\.booked-value +AVRO +- +.*field cents has no default`, got.out)
	require.Regexp(t, `ledger\.checked +ledger\.checked-value +AVRO +8 +-`, got.out)
	require.True(t, fake.SubjectExists("ledger.checked-value"))
}

func TestTheRegistrysSubjectsAreListed(t *testing.T) {
	t.Parallel()
	fake, registry := newRegistry(t)
	require.Equal(t, "The schema registry has no subject.\n", ok(t, operator, "schemas", "list", registry))
	require.JSONEq(t, `[]`, ok(t, operator, "schemas", "list", "--json", registry))
	fake.SeedSchema("a", 1, 5, sr.Schema{Schema: `"string"`})
	fake.SeedSchema("a", 2, 6, sr.Schema{Schema: `"bytes"`})
	for _, p := range []cmd.Program{operator, ledger()} {
		require.Equal(t, "SUBJECT  LATEST  ID  TYPE\na        2       6   AVRO\n", ok(t, p, "schemas", "list", registry))
		require.Equal(t, "SUBJECT  VERSION  ID  TYPE\na        1        5   AVRO\na        2        6   AVRO\n", ok(t, p, "schemas", "list", "--all", registry))
	}
	require.JSONEq(t, `[{"subject":"a","version":2,"id":6,"type":"AVRO"}]`, ok(t, operator, "schemas", "list", "--json", registry))
}

func TestSchemasAreThoseThatTheProgramWrites(t *testing.T) {
	t.Parallel()
	_, registry := newRegistry(t)
	codec := schemas.Avro[entry](entrySchema)
	p := pipeline.New("books")
	in := pipeline.NewPipe(p, "in", pipeline.Codec(codec))
	pipeline.Stage(in, "plain", filters.Map(func(_ context.Context, e entry) (int, error) { return e.Cents, nil }), pipeline.Open())
	pipeline.Sink(in, "out", sinks.Topic("audit", sinks.RecordCodec(codec)))
	books := program(p)
	out := ok(t, books, "schemas", "register", registry)
	require.Contains(t, out, "audit-value")
	require.NotContains(t, out, "books.in", "others write it")
	require.Contains(t, ok(t, books, "schemas", "check", "in", registry), "books.in-value", "but it may be named")

	// A topic that one pipeline reads and a later one writes.
	later := pipeline.New("later")
	pipeline.Sink(pipeline.NewPipe(later, "in", pipeline.Codec(codec)), "out", sinks.Topic("books.in", sinks.RecordCodec(codec)))
	require.Contains(t, ok(t, program(p, later), "schemas", "register", registry), "books.in-value")

	got := call(t, books, "schemas", "check", "plain", registry)
	require.Equal(t, cmd.ExitWrongUse, got.code)
	require.Contains(t, got.err, `there is no pipe with a schema "plain"; there are: books.in, audit`)
	require.Equal(t, "No pipe that the program writes has a schema.\n", ok(t, program(orders()), "schemas", "check", registry))
	require.Equal(t, "No pipe that the program writes has a schema.\n", ok(t, program(orders()), "schemas", "register", registry))
	require.Equal(t, "ledger.checked\n:4\n", ok(t, ledger(), "__complete", "schemas", "check", "ledger.booked", ""))
	require.Contains(t, call(t, ledger(), "schemas").err, "which command of ledger schemas? There are: check, list, register")
	require.Contains(t, call(t, operator, "schemas").err, "There are: list")
}
