// Penstock is the operator's binary: the commands that need no compiled
// pipeline.
package main

import "github.com/penstock/penstock/cmd"

func main() {
	cmd.Program{
		Name:  "penstock",
		Short: "Look after Penstock's topics, poisoned messages and embedded broker",
		Long: `Penstock has the commands that need no compiled pipeline. The program that
declares a pipeline has these too, and those that run it.`,
	}.Execute()
}
