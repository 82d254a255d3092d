package registry

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/penstock/penstock/schemas"
)

// ErrRefused is wrapped by an error when the registry refused a schema: it is
// broken, or incompatible with those before it.
var ErrRefused = errors.New("the schema registry refused the schema")

// ErrDenied is wrapped by an error when the registry refuses who asks: the user and
// the password, or the rights that they have. It wraps schemas.ErrUnavailable, as the
// registry said nothing of schemas.
var ErrDenied = fmt.Errorf("%w: it refuses who asks", schemas.ErrUnavailable)

// explain says what was tried, and tells the answers on which a caller decides
// from all else, which is that nothing is known: no answer, one that is not the
// registry's, one that says that we may not ask. What is unknown can be asked
// again.
func (c *Client) explain(tried string, err error) error {
	answer, ok := errors.AsType[*sr.ResponseError](err)
	if !ok {
		return fmt.Errorf("%s of the schema registry %s: %w: %w", tried, c.where, schemas.ErrUnavailable, err)
	}
	kind := schemas.ErrUnavailable
	switch code := answer.ErrorCode; {
	case code == sr.ErrSchemaNotFound.Code, code == sr.ErrSubjectNotFound.Code, code == sr.ErrVersionNotFound.Code:
		kind = schemas.ErrUnknownSchema
	case answer.StatusCode == http.StatusConflict, answer.StatusCode == http.StatusUnprocessableEntity:
		kind = ErrRefused
	case answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden:
		kind = ErrDenied
	}
	text := answer.Error()
	if len(text) > maxReason {
		text = text[:maxReason] + "…"
	}
	return fmt.Errorf("%s of the schema registry %s: %w: status %d, error code %d: %s",
		tried, c.where, kind, answer.StatusCode, answer.ErrorCode, text)
}

// maxReason bounds what is repeated of an answer, in bytes.
const maxReason = 1000
