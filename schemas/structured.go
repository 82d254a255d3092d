package schemas

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ContentTypeStructured marks a record whose value is a whole CloudEvents event
// in JSON.
const ContentTypeStructured = "application/cloudevents+json"

// isStructured holds for every structured mode, also those in formats that
// cannot be read: their values must not be taken for plain data.
func isStructured(contentType string) bool {
	const prefix = "application/cloudevents"
	switch contentType {
	case "", ContentTypeJSON, ContentTypeRaw: // nearly all: spare them the cutting
		return false
	}
	media := mediaType(contentType)
	return len(media) >= len(prefix) && strings.EqualFold(media[:len(prefix)], prefix)
}

// mediaType cuts the parameters off a content type.
func mediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(media)
}

// isJSON holds for the media types whose data stands in the event as JSON.
func isJSON(contentType string) bool {
	media := strings.ToLower(mediaType(contentType))
	return media == "" || media == ContentTypeJSON || media == "text/json" || strings.HasSuffix(media, "+json")
}

// structured reads a whole event and returns its data. The event's attributes
// win over headers, which may repeat them.
func (r *reader) structured(value []byte) []byte {
	r.inEvent = true
	if media := mediaType(r.e.ContentType); !strings.EqualFold(media, ContentTypeStructured) {
		r.failf("", "%s is a format that cannot be read; use %s", quote([]byte(media)), ContentTypeStructured)
		return nil
	}
	event, err := members(value)
	if err != nil {
		r.failf("", "%v", err)
		return nil
	}
	contentType := ""
	for _, m := range event {
		switch m.name {
		case "data", "data_base64":
		case "datacontenttype":
			contentType = string(r.literal(m))
		default:
			r.member(m)
		}
	}
	r.addExtensions()
	if event.find("specversion") == nil {
		r.failf("specversion", "it is missing")
	}
	if contentType == "" {
		contentType = ContentTypeJSON
	}
	r.e.ContentType = r.contentType("datacontenttype", []byte(contentType))
	return r.data(event, contentType)
}

// member takes one attribute of a structured event.
func (r *reader) member(m member) {
	v := r.literal(m)
	if v == nil {
		return
	}
	name := "ce_" + m.name
	switch a := attributeOf([]byte(name)); a {
	case attrNone:
		if m.name == HeaderTraceParent || m.name == HeaderTraceState {
			r.trace(attributeOf([]byte(m.name)), v, false)
			return
		}
		r.extensions = append(r.extensions, Header{Name: name, Value: v})
	default:
		if len(v) == 0 {
			r.failf(m.name, "it is empty")
			return
		}
		r.attribute(a, m.name, v)
	}
}

// literal returns an attribute's text: attributes are strings, numbers or
// booleans. It is nil for null, which means absent.
func (r *reader) literal(m member) []byte {
	switch m.value[0] {
	case 'n':
		return nil
	case '"':
		var s string
		if err := json.Unmarshal(m.value, &s); err != nil {
			r.failf(m.name, "%v", err)
			return nil
		}
		return []byte(s)
	case '{', '[':
		r.failf(m.name, "it is no string, number or boolean")
		return nil
	default:
		return m.value
	}
}

// data returns the payload: JSON as it stands, text as its string, and bytes
// out of base64.
func (r *reader) data(event eventMembers, contentType string) []byte {
	plain, encoded := event.find("data"), event.find("data_base64")
	switch {
	case plain != nil && encoded != nil:
		r.failf("data", "it is there beside data_base64; only one may be")
		return nil
	case encoded != nil:
		text := r.literal(member{name: "data_base64", value: encoded})
		b, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil {
			r.failf("data_base64", "%v", err)
			return nil
		}
		return b
	case plain == nil:
		return nil
	case isJSON(contentType):
		return plain
	case plain[0] == '"':
		return r.literal(member{name: "data", value: plain})
	default:
		return plain
	}
}

// member is a member of a JSON object with its value as it stands.
type member struct {
	name  string
	value json.RawMessage
}

type eventMembers []member

// find returns nil where the member is absent or null.
func (ms eventMembers) find(name string) json.RawMessage {
	for _, m := range ms {
		if m.name == name && m.value[0] != 'n' {
			return m.value
		}
	}
	return nil
}

// members splits a JSON object. It is stricter than encoding/json, which takes
// the last of two members of one name.
func members(b []byte) (eventMembers, error) {
	if len(b) == 0 {
		return nil, errors.New("the value is empty")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber() // one that is too large would be repeated in the error, however long it is
	ms, err := decodeMembers(dec)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.New("the JSON object is cut off")
	}
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return ms, nil
}

func decodeMembers(dec *json.Decoder) (eventMembers, error) {
	open, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if open != json.Delim('{') {
		return nil, errors.New("the value is no JSON object")
	}
	var ms eventMembers
	seen := make(map[string]bool)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("%s stands where the name of an attribute should", quote(fmt.Append(nil, token)))
		}
		m := member{name: name}
		if len(m.name) > MaxAttribute {
			return nil, fmt.Errorf("the name of an attribute has %d bytes, more than %d", len(m.name), MaxAttribute)
		}
		if seen[m.name] {
			return nil, fmt.Errorf("attribute %s is there more than once", quote([]byte(m.name)))
		}
		seen[m.name] = true
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	_, err = dec.Token() // the closing brace
	return ms, err
}

// addExtensions adds the attributes that the envelope does not interpret to the
// headers, in the place of those that repeat them.
func (r *reader) addExtensions() {
	if len(r.extensions) == 0 {
		return
	}
	repeated := make(map[string]bool, len(r.extensions))
	for _, x := range r.extensions {
		repeated[x.Name] = true
	}
	r.e.Headers = slices.DeleteFunc(r.e.Headers, func(h Header) bool { return repeated[h.Name] })
	r.e.Headers = append(r.e.Headers, r.extensions...)
}
