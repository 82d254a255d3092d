// Package sabotage breaks rules of the router on purpose, in programs that are
// built with the tag "sabotage": to see that a checker finds what the rule
// prevents. In all other programs nothing can be broken, and it costs nothing.
package sabotage

// Rule is a rule that can be broken.
type Rule uint8

// The rules.
const (
	VoidByStart Rule = iota // a TAKE drops what the input brings again
	Epochs                  // what a former owner writes is void
	FreeOnDone              // a key is free when its DONE is in the log
	rules
)

// Names of the rules, for flags.
var names = [rules]string{"void-by-start", "epochs", "free-on-done"}

// String is the rule's name.
func (r Rule) String() string {
	if r >= rules {
		return "unknown"
	}
	return names[r]
}
