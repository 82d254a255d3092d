package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/penstock/penstock/schemas"
)

// Schema returns the schema of an id. Callers that ask at one time share a
// request. That an id has none is remembered for 10 s.
func (c *Client) Schema(ctx context.Context, id int) (schemas.Schema, error) {
	if s, known, err := c.cache.get(id); known {
		return s, err
	}
	// The request is not the first caller's: the others go on when that one goes.
	flight := c.flights.DoChan(strconv.Itoa(id), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
		defer cancel()
		return c.fetch(ctx, id)
	})
	select {
	case <-ctx.Done():
		return schemas.Schema{}, fmt.Errorf("ask for schema %d: %w: %w", id, schemas.ErrUnavailable, context.Cause(ctx))
	case r := <-flight:
		s, _ := r.Val.(schemas.Schema)
		return s, r.Err
	}
}

func (c *Client) fetch(ctx context.Context, id int) (schemas.Schema, error) {
	if s, known, err := c.cache.get(id); known { // by a flight that ended just now
		return s, err
	}
	got, err := c.api.SchemaByID(ctx, id)
	if err != nil {
		err = c.explain(fmt.Sprintf("ask for schema %d", id), err)
		if errors.Is(err, schemas.ErrUnknownSchema) {
			c.cache.putUnknown(id, err)
		}
		return schemas.Schema{}, err
	}
	s := fromAPI(got)
	c.cache.put(id, s)
	return s, nil
}

// Register sees to it that the subject has the schema, and returns its id. Imports
// are registered first. The error wraps [ErrRefused] if the registry did not take
// it.
func (c *Client) Register(ctx context.Context, subject string, s schemas.Schema) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	schema, err := c.toAPI(ctx, s, c.importRegistered)
	if err != nil {
		return 0, err
	}
	id, err := c.api.RegisterSchema(ctx, subject, schema, -1, -1)
	if err != nil {
		return 0, c.explain("register subject "+subject, err)
	}
	return id, nil
}

// LookUp returns the id of the subject's schema.
func (c *Client) LookUp(ctx context.Context, subject string, s schemas.Schema) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	schema, err := c.toAPI(ctx, s, c.importVersion)
	if err != nil {
		return 0, err
	}
	got, err := c.api.LookupSchema(ctx, subject, schema)
	if err != nil {
		return 0, c.explain("look up subject "+subject, err)
	}
	return got.ID, nil
}

// toAPI turns a schema into the registry's form. Imports become references, by
// the version that the function version finds.
func (c *Client) toAPI(ctx context.Context, s schemas.Schema, version func(context.Context, schemas.Import) (int, error)) (sr.Schema, error) {
	out := sr.Schema{Schema: s.Text}
	switch s.Type {
	case schemas.SchemaAvro, "":
		out.Type = sr.TypeAvro
	case schemas.SchemaJSON:
		out.Type = sr.TypeJSON
	case schemas.SchemaProtobuf:
		out.Type = sr.TypeProtobuf
	default:
		return out, fmt.Errorf("the schema registry has no schemas of type %q", s.Type)
	}
	for _, i := range s.Imports {
		v, err := version(ctx, i)
		if err != nil {
			return out, err
		}
		out.References = append(out.References, sr.SchemaReference{Name: i.Name, Subject: i.Name, Version: v})
	}
	return out, nil
}

func (c *Client) importRegistered(ctx context.Context, i schemas.Import) (int, error) {
	if _, err := c.Register(ctx, i.Name, i.Schema); err != nil {
		return 0, err
	}
	return c.importVersion(ctx, i)
}

func (c *Client) importVersion(ctx context.Context, i schemas.Import) (int, error) {
	schema, err := c.toAPI(ctx, i.Schema, c.importVersion)
	if err != nil {
		return 0, err
	}
	got, err := c.api.LookupSchema(ctx, i.Name, schema)
	if err != nil {
		return 0, c.explain("look up subject "+i.Name, err)
	}
	return got.Version, nil
}

func fromAPI(s sr.Schema) schemas.Schema {
	out := schemas.Schema{Type: schemas.SchemaType(s.Type.String()), Text: s.Schema}
	for _, r := range s.References {
		out.Imports = append(out.Imports, schemas.Import{Name: r.Name})
	}
	return out
}
