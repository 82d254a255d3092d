package pipeline_test

import (
	"fmt"

	"github.com/penstock/penstock/pipeline"
)

// A name that comes from outside is looked at before a topic is named so.
func ExampleWrongTopic() {
	for _, name := range []string{"tenants.blue", "tenants.blue&white"} {
		if wrong := pipeline.WrongTopic(name); wrong != "" {
			fmt.Printf("%q %s\n", name, wrong)
			continue
		}
		fmt.Printf("%q can be a topic\n", name)
	}
	// Output:
	// "tenants.blue" can be a topic
	// "tenants.blue&white" has a character in it that Kafka does not take; it takes letters, digits, ., _ and -
}
