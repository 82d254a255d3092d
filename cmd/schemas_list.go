package cmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/schemas/registry"
)

// subjectDocument is a version of a subject, for scripts.
type subjectDocument struct {
	Subject string             `json:"subject"`
	Version int                `json:"version"`
	ID      int                `json:"id"`
	Type    schemas.SchemaType `json:"type"`
}

func (a *app) schemasList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the subjects of the schema registry, each with its latest schema",
		Long: `List shows all subjects of the schema registry, those of other programs too, and of
each its latest version, or with --all every one. The schema of a pipe has the
subject TOPIC-value, unless its codec says otherwise.`,
		Example: a.example("{} schemas list --registry http://127.0.0.1:8081", "{} schemas list --all --json"),
		Args:    cobra.NoArgs,
	}
	f := newRegistryFlags(c.Flags())
	all := c.Flags().Bool(allFlag, false, "every version, not the latest alone")
	asJSON := c.Flags().Bool(jsonFlag, false, "print JSON")
	return a.does(c, func(ctx context.Context, _ []string) error {
		return a.withRegistry(f, func(r *schemaRegistry) error { return a.listSchemas(ctx, r, *all, *asJSON) })
	})
}

func (a *app) listSchemas(ctx context.Context, r *schemaRegistry, all, asJSON bool) error {
	list := r.client.List
	if all {
		list = r.client.ListVersions
	}
	entries, err := list(ctx)
	if err != nil {
		err = r.explain(ctx, "", err)
	}
	if len(entries) > 0 || err == nil {
		a.printSubjects(entries, all, asJSON)
	}
	if err != nil && len(entries) > 0 {
		return errors.Join(errors.New("the list ends too early"), err)
	}
	return err
}

func (a *app) printSubjects(entries []registry.Entry, all, asJSON bool) {
	if asJSON {
		documents := make([]subjectDocument, len(entries))
		for i, e := range entries {
			documents[i] = subjectDocument(e)
		}
		a.stdout.document(documents)
		return
	}
	if len(entries) == 0 {
		fmt.Fprintln(a.stdout, "The schema registry has no subject.")
		return
	}
	version := "LATEST"
	if all {
		version = "VERSION"
	}
	t := &table{head: []string{"SUBJECT", version, "ID", "TYPE"}}
	for _, e := range entries {
		t.add(e.Subject, strconv.Itoa(e.Version), strconv.Itoa(e.ID), string(e.Type))
	}
	t.write(a.stdout)
}
