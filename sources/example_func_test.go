package sources_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

type Reading struct {
	Sensor  string
	Celsius float64
}

// readings puts what it has and is done.
func readings(ctx context.Context, emit pipeline.Emit[Reading]) error {
	return emit(ctx,
		pipeline.Trigger[Reading]{ID: "kitchen-1", Body: Reading{Sensor: "kitchen", Celsius: 21.5}},
		pipeline.Trigger[Reading]{ID: "cellar-1", Body: Reading{Sensor: "cellar", Celsius: 11}},
	)
}

// A function becomes a source. This one ends by itself, and names its triggers so
// that each is put once, also when the program is started again.
func ExampleFunc() {
	p := pipeline.New("climate")
	pipeline.Source(p, "readings", sources.Func(readings, sources.Finite(), sources.Once()),
		pipeline.Key(func(r Reading) string { return r.Sensor }),
		pipeline.Open())

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	source := graph.Sources[0]
	fmt.Println("ends by itself:", source.Finite)
	err = source.Run(context.Background(), func(_ context.Context, triggers ...pipeline.RawTrigger) error {
		for _, t := range triggers {
			fmt.Println(t.ID, t.Key, string(t.Value))
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// ends by itself: true
	// kitchen-1 kitchen {"Sensor":"kitchen","Celsius":21.5}
	// cellar-1 cellar {"Sensor":"cellar","Celsius":11}
	// <nil>
}
