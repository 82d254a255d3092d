package cmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/schemas/registry"
)

// schemaDocument is a schema that was registered, or refused, for scripts.
type schemaDocument struct {
	Topic   string             `json:"topic"`
	Subject string             `json:"subject"`
	Type    schemas.SchemaType `json:"type"`
	ID      int                `json:"id,omitempty"`
	Refused string             `json:"refused,omitempty"` // why
}

func (a *app) schemasRegister() *cobra.Command {
	c := &cobra.Command{
		Use:   "register [PIPE...]",
		Short: "Put the schemas of pipes into the schema registry",
		Long: `Register puts the schemas of pipes into the schema registry: of those that are named
or, without a name, of all that the program writes. What is there already stays as it
is. One that the registry refuses, because it does not fit those before it, keeps
nothing from being registered but itself, and ends the command with status 1.

A run does the same when it starts, unless it has --` + registryReadOnlyFlag + `.`,
		Example: a.example("{} schemas register --registry http://127.0.0.1:8081", "{} schemas register PIPE --json"),
	}
	return a.onSchemas(c, a.registerSchemas)
}

func (a *app) registerSchemas(ctx context.Context, r *schemaRegistry, list []topicSchema, asJSON bool) error {
	documents := []schemaDocument{}
	var refused []string
	for _, s := range list {
		d := schemaDocument{Topic: s.topic, Subject: s.subject, Type: s.schema.Type}
		var err error
		if d.ID, err = r.client.Register(ctx, s.subject, s.schema); errors.Is(err, registry.ErrRefused) {
			d.Refused = err.Error()
			refused = append(refused, s.topic)
		} else if err != nil {
			a.printRegistered(documents, asJSON)
			return r.explain(ctx, s.topic, err)
		}
		documents = append(documents, d)
	}
	if len(list) == 0 && !asJSON {
		fmt.Fprintln(a.stdout, noSchemas)
		return nil
	}
	a.printRegistered(documents, asJSON)
	if len(refused) > 0 {
		return fmt.Errorf("the schema registry refused the schemas of %s: change them so that they fit those before them, or the rules that it has for their subjects", strings.Join(refused, ", "))
	}
	return nil
}

func (a *app) printRegistered(documents []schemaDocument, asJSON bool) {
	if asJSON {
		a.stdout.document(documents)
		return
	}
	if len(documents) == 0 {
		return
	}
	t := &table{head: []string{"TOPIC", "SUBJECT", "TYPE", "ID", "REFUSED"}, cut: 4, spare: []int{2, 1}}
	for _, d := range documents {
		id := ""
		if d.ID != 0 {
			id = strconv.Itoa(d.ID)
		}
		t.add(d.Topic, d.Subject, string(d.Type), id, d.Refused)
	}
	t.write(a.stdout)
}
