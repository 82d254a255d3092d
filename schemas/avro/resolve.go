package avro

import (
	"fmt"
	"slices"
	"strings"
)

// matching says how well a writer's type fits a reader's.
type matching uint8

const (
	matchNone matching = iota
	matchPromotion
	matchExact
)

// match compares two types that are no unions, without what they contain.
func match(w, r *node) matching {
	if w.kind != r.kind {
		if promotes(w.kind, r.kind) && sameMeaning(w.logical, r.logical) {
			return matchPromotion
		}
		return matchNone
	}
	switch r.kind {
	case kindRecord, kindEnum:
		return matchName(w, r)
	case kindFixed:
		if w.size != r.size || !sameMeaning(w.logical, r.logical) {
			return matchNone
		}
		return matchName(w, r)
	default:
		if !sameMeaning(w.logical, r.logical) {
			return matchNone
		}
		return matchExact
	}
}

func matchName(w, r *node) matching {
	switch {
	case w.full == r.full || slices.Contains(r.aliases, w.full):
		return matchExact
	case w.name == r.name:
		return matchPromotion
	default:
		return matchNone
	}
}

// promotes is the specification's list.
func promotes(w, r kind) bool {
	switch r {
	case kindLong:
		return w == kindInt
	case kindFloat:
		return w == kindInt || w == kindLong
	case kindDouble:
		return w == kindInt || w == kindLong || w == kindFloat
	case kindString:
		return w == kindBytes
	case kindBytes:
		return w == kindString
	default:
		return false
	}
}

// sameMeaning tells whether a number written with one logical type means the same
// with the other. One that has none means what the other says.
func sameMeaning(w, r logical) bool {
	return w == r || w.name == logicalNone || r.name == logicalNone
}

func incompatible(w, r *node) error {
	if w.kind == r.kind && w.String() == r.String() {
		return fmt.Errorf("%s was written with another size, unit or scale than it is read with", w)
	}
	return fmt.Errorf("%s was written, and cannot be read as %s", describe(w), describe(r))
}

func describe(n *node) string {
	if n.kind != kindUnion {
		return n.String()
	}
	names := make([]string, len(n.branches))
	for i, b := range n.branches {
		names[i] = b.String()
	}
	return "a union of " + strings.Join(names, ", ")
}
