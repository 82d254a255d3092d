package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/schemas"
)

// schemaCheckDocument is what the registry says of a schema, for scripts.
type schemaCheckDocument struct {
	Topic      string             `json:"topic"`
	Subject    string             `json:"subject"`
	Type       schemas.SchemaType `json:"type"`
	Compatible bool               `json:"compatible"`
	New        bool               `json:"new"`          // the subject has no schema yet
	ID         int                `json:"id,omitempty"` // of the schema, where it is registered
	Reasons    []string           `json:"reasons,omitempty"`
}

func (d *schemaCheckDocument) verdict() string {
	switch {
	case !d.Compatible:
		return "incompatible"
	case d.ID != 0:
		return "registered"
	case d.New:
		return "new subject"
	}
	return "compatible"
}

func (a *app) schemasCheck() *cobra.Command {
	c := &cobra.Command{
		Use:   "check [PIPE...]",
		Short: "Ask the schema registry whether the schemas of pipes fit those before them",
		Long: `Check asks the schema registry whether it would take the schemas of pipes: of those
that are named or, without a name, of all that the program writes. Nothing is
registered. It ends with status 1 when one is incompatible, so it can hold up a
release.

VERDICT is "registered" where the registry has this very schema, "new subject" where
it has none for the topic yet, "compatible" or "incompatible". What is compatible
follows the rule that the registry has for the subject. One without a rule, as
Apicurio is at first, takes everything.`,
		Example: a.example("{} schemas check --registry http://127.0.0.1:8081", "{} schemas check PIPE --json"),
	}
	return a.onSchemas(c, a.checkSchemas)
}

func (a *app) checkSchemas(ctx context.Context, r *schemaRegistry, list []topicSchema, asJSON bool) error {
	documents := []schemaCheckDocument{}
	var wrong []string
	for _, s := range list {
		got, err := r.client.Check(ctx, s.subject, s.schema)
		if errors.Is(err, schemas.ErrUnknownSchema) {
			return fmt.Errorf("topic %s: %w; a schema that it names is not registered yet: %s registers it too", s.topic, err, r.advice("register", s.topic))
		}
		if err != nil {
			return r.explain(ctx, s.topic, err)
		}
		d := schemaCheckDocument{Topic: s.topic, Subject: s.subject, Type: s.schema.Type, Compatible: got.Compatible, New: got.New, ID: got.ID, Reasons: got.Reasons}
		if !d.Compatible {
			wrong = append(wrong, s.topic)
		}
		documents = append(documents, d)
	}
	a.printChecks(documents, asJSON)
	if len(wrong) > 0 {
		return fmt.Errorf("the schema registry would refuse the schemas of %s: change them so that they fit those before them, or the rules that it has for their subjects", strings.Join(wrong, ", "))
	}
	return nil
}

func (a *app) printChecks(documents []schemaCheckDocument, asJSON bool) {
	switch {
	case asJSON:
		a.stdout.document(documents)
		return
	case len(documents) == 0:
		fmt.Fprintln(a.stdout, noSchemas)
		return
	}
	t := &table{head: []string{"TOPIC", "SUBJECT", "TYPE", "VERDICT", "WHY"}, cut: 4, spare: []int{2, 1}}
	for i := range documents {
		d := &documents[i]
		why := strings.Join(d.Reasons, "; ")
		switch {
		case d.ID != 0:
			why = fmt.Sprintf("id %d", d.ID)
		case !d.Compatible && why == "":
			why = "the registry does not say why; to register it would"
		}
		t.add(d.Topic, d.Subject, string(d.Type), d.verdict(), why)
	}
	t.write(a.stdout)
}
