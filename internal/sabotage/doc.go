// Package sabotage breaks rules of the router and the transport on purpose, in programs that are
// built with the tag "sabotage": to see that a checker finds what the rule
// prevents. In all other programs nothing can be broken, and it costs nothing.
package sabotage

// Rule is a rule that can be broken.
type Rule uint8

// The rules.
const (
	VoidByStart    Rule = iota // a RESUME drops what the input brings again
	Epochs                     // what a former owner writes is void
	FreeOnDone                 // a key is free when its DONE is in the log
	DeliverFirst               // an offset is committed when all that came of its message is stored
	StopOnFailure              // nothing is sent behind what could not be stored
	OneTransaction             // outputs and offsets are in one transaction
	Fences                     // who has lost a partition number cannot commit: by its generation, its transactional id, and what it is told
	rules
)

// Names of the rules, for flags.
var names = [rules]string{"void-by-start", "epochs", "free-on-done", "deliver-first", "stop-on-failure", "one-transaction", "fences"}

// String is the rule's name.
func (r Rule) String() string {
	if r >= rules {
		return "unknown"
	}
	return names[r]
}
