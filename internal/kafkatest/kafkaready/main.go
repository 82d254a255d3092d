// Command kafkaready asks a Kafka cluster whether it is ready to be used, and
// exits with 0 when it is. It asks once; whoever starts a broker asks again.
//
// Ready means: the cluster with the wanted id answers, all its nodes are part of
// it, and it can coordinate a consumer group.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func main() {
	brokers := flag.String("brokers", "127.0.0.1:19092", "`addresses` of the brokers, separated by commas")
	clusterID := flag.String("cluster-id", "", "`id` that the cluster must have (default any)")
	nodes := flag.Int("nodes", 1, "`number` of nodes that must be there")
	timeout := flag.Duration("timeout", 5*time.Second, "how long to wait for the answers")
	flag.Parse()

	if err := ready(strings.Split(*brokers, ","), *clusterID, *nodes, *timeout); err != nil {
		fmt.Fprintf(os.Stderr, "kafkaready: %s: %v\n", *brokers, err)
		os.Exit(1)
	}
}

func ready(brokers []string, clusterID string, nodes int, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer client.Close()

	return errors.Join(checkNodes(ctx, client, clusterID, nodes), checkGroups(ctx, client))
}

func checkNodes(ctx context.Context, client *kgo.Client, clusterID string, nodes int) error {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{}
	metadata, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("ask for the nodes: %w", err)
	}
	if clusterID != "" && (metadata.ClusterID == nil || *metadata.ClusterID != clusterID) {
		return fmt.Errorf("another cluster than %s answers", clusterID)
	}
	if len(metadata.Brokers) != nodes {
		return fmt.Errorf("%d of %d nodes are there", len(metadata.Brokers), nodes)
	}
	return nil
}

// checkGroups makes the broker create the topic of the groups' offsets, which
// the first group would else wait for.
func checkGroups(ctx context.Context, client *kgo.Client) error {
	request := kmsg.NewPtrFindCoordinatorRequest()
	request.CoordinatorKey = "kafkaready"
	request.CoordinatorKeys = []string{"kafkaready"}
	found, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("ask for a group's coordinator: %w", err)
	}
	for i := range found.Coordinators {
		if err := kerr.ErrorForCode(found.Coordinators[i].ErrorCode); err != nil {
			return fmt.Errorf("find a group's coordinator: %w", err)
		}
	}
	return kerr.ErrorForCode(found.ErrorCode)
}
