package produce_test

import (
	"context"
	"fmt"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

func ExampleProducer() {
	cluster := kfake.MustCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders.priced"))
	defer cluster.Close()
	conf := sarama.NewConfig()
	conf.Version = sarama.V4_0_0_0
	metadata, err := sarama.NewClient(cluster.ListenAddrs(), conf)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = metadata.Close() }()

	ctx := context.Background()
	producer, err := produce.New(ctx, produce.Config{
		Client: metadata,
		Done: func(r client.Result) {
			for i, out := range r.Outputs {
				fmt.Println("order", out.Entry, "is", r.Fate, "at", r.Base+int64(i))
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	topic, err := producer.Prepare(ctx, "orders.priced")
	if err != nil {
		fmt.Println(err)
		return
	}
	out := client.Output{Ticket: client.Ticket{Entry: 17}, Partition: 0, Key: []byte("anna"), Value: []byte("12 pieces")}
	fmt.Println("the topic takes it:", topic.Takes(&out))
	if err := producer.Enqueue("orders.priced", []client.Output{out}); err != nil {
		fmt.Println(err)
	}
	if err := producer.Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// the topic takes it: true
	// order 17 is stored at 0
}
