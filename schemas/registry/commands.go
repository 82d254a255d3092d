package registry

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/penstock/penstock/schemas"
)

// Verdict is what the registry says of a schema for a subject.
type Verdict struct {
	// Compatible tells that the registry would take the schema.
	Compatible bool

	// New tells that the subject has no schema yet.
	New bool

	// ID is the schema's where the subject has this very one, else 0.
	ID int

	// Reasons say why it is not compatible, as far as the registry tells.
	Reasons []string
}

// Check asks the registry whether the schema is compatible with those of the subject,
// with as many of them and as closely as the rule says that the subject has there.
// Registries that cannot be asked so are asked about the latest alone. Nothing is
// registered, but imports are looked up, so they must be there.
func (c *Client) Check(ctx context.Context, subject string, s schemas.Schema) (Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	versions, err := c.versions(ctx, subject)
	if err != nil {
		if errors.Is(err, schemas.ErrUnknownSchema) {
			return Verdict{Compatible: true, New: true}, nil
		}
		return Verdict{}, err
	}
	if len(versions) == 0 {
		return Verdict{Compatible: true, New: true}, nil
	}
	id, err := c.LookUp(ctx, subject, s)
	if err == nil {
		return Verdict{Compatible: true, ID: id}, nil
	}
	if !errors.Is(err, schemas.ErrUnknownSchema) {
		return Verdict{}, err
	}
	schema, err := c.toAPI(ctx, s, c.importVersion)
	if err != nil {
		return Verdict{}, err
	}
	got, err := c.checkCompatibility(ctx, subject, schema)
	if err != nil {
		err = c.explain("check subject "+subject, err)
		if errors.Is(err, ErrRefused) {
			return Verdict{Reasons: []string{err.Error()}}, nil
		}
		return Verdict{}, err
	}
	return Verdict{Compatible: got.Is, Reasons: got.Messages}, nil
}

// asTheRuleSays stands for the versions that the rule of a subject is about.
const asTheRuleSays = -2

func (c *Client) checkCompatibility(ctx context.Context, subject string, schema sr.Schema) (sr.CheckCompatibilityResult, error) {
	ctx = sr.WithParams(ctx, sr.Verbose)
	got, err := c.api.CheckCompatibility(ctx, subject, asTheRuleSays, schema)
	answer, isAnswer := errors.AsType[*sr.ResponseError](err)
	if isAnswer && (answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusMethodNotAllowed) {
		return c.api.CheckCompatibility(ctx, subject, latest, schema) // it has no such path
	}
	return got, err
}

// Entry is a schema of a subject.
type Entry struct {
	Subject string
	Version int
	ID      int
	Type    schemas.SchemaType
}

// List returns the subjects, in the registry's order, each with its latest schema.
// An error may come with those that were listed before it.
func (c *Client) List(ctx context.Context) ([]Entry, error) {
	return c.list(ctx, func(context.Context, string) ([]int, error) { return []int{latest}, nil })
}

// ListVersions is List with every version of a subject, the oldest first.
func (c *Client) ListVersions(ctx context.Context) ([]Entry, error) {
	return c.list(ctx, c.versions)
}

func (c *Client) list(ctx context.Context, versionsOf func(context.Context, string) ([]int, error)) ([]Entry, error) {
	subjects, err := c.subjects(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(subjects))
	for _, subject := range subjects {
		versions, err := versionsOf(ctx, subject)
		if err != nil && !errors.Is(err, schemas.ErrUnknownSchema) {
			return entries, err
		}
		for _, v := range versions {
			e, err := c.version(ctx, subject, v)
			switch {
			case errors.Is(err, schemas.ErrUnknownSchema): // deleted meanwhile
			case err != nil:
				return entries, err
			default:
				entries = append(entries, e)
			}
		}
	}
	return entries, nil
}

func (c *Client) subjects(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	subjects, err := c.api.Subjects(ctx)
	if err != nil {
		return nil, c.explain("list subjects", err)
	}
	return subjects, nil
}

func (c *Client) versions(ctx context.Context, subject string) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	versions, err := c.api.SubjectVersions(ctx, subject)
	if err != nil {
		return nil, c.explain("list the versions of subject "+subject, err)
	}
	slices.Sort(versions)
	return versions, nil
}

// latest stands for a subject's latest version.
const latest = -1

func (c *Client) version(ctx context.Context, subject string, version int) (Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	got, err := c.api.SchemaByVersion(ctx, subject, version)
	if err != nil {
		return Entry{}, c.explain("ask for a schema of subject "+subject, err)
	}
	return Entry{Subject: subject, Version: got.Version, ID: got.ID, Type: schemas.SchemaType(got.Type.String())}, nil
}
