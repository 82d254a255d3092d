//go:build kafka

package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// identity is what tells the Kafka that was started for the tests from any other.
type identity struct {
	clusterID string
	version   string // as in 4.3.1
}

// verify returns an error for each way in which what answers is not the wanted
// cluster:
//   - its id is another one;
//   - the metadata.version that the cluster was formatted with is not that of the
//     wanted release (brokers do not tell more of their version than this);
//   - its broker has no role in KRaft, as the embedded one.
func verify(ctx context.Context, brokers []string, want identity) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return fmt.Errorf("make a client for %v: %w", brokers, err)
	}
	defer client.Close()

	node, err := verifyCluster(ctx, client, want.clusterID)
	if node == nil {
		return err
	}
	return errors.Join(err, verifyVersion(ctx, client, want.version), verifyRoles(ctx, client, *node))
}

// verifyCluster also returns the id of a node, or nil when none answers.
func verifyCluster(ctx context.Context, client *kgo.Client, want string) (node *int32, err error) {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{}
	metadata, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("ask for the cluster's id: %w", err)
	}
	if len(metadata.Brokers) == 0 {
		return nil, errors.New("the cluster lists no broker")
	}
	if metadata.ClusterID == nil || *metadata.ClusterID != want {
		got := "none"
		if metadata.ClusterID != nil {
			got = *metadata.ClusterID
		}
		err = fmt.Errorf("the cluster's id is %s, not %s", got, want)
	}
	return &metadata.Brokers[0].NodeID, err
}

func verifyVersion(ctx context.Context, client *kgo.Client, want string) error {
	const feature = "metadata.version"
	release := kversion.FromString(want)
	if release == nil {
		return fmt.Errorf("%q is not a version of Kafka that is known here", want)
	}
	var wantLevel int16
	release.EachFinalizedFeature(func(name string, level int16) {
		if name == feature {
			wantLevel = level
		}
	})

	request := kmsg.NewPtrApiVersionsRequest()
	request.ClientSoftwareName = "penstock"
	request.ClientSoftwareVersion = "test"
	versions, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("ask for the broker's features: %w", err)
	}
	for _, finalized := range versions.FinalizedFeatures {
		if finalized.Name != feature {
			continue
		}
		if finalized.MaxVersionLevel != wantLevel {
			return fmt.Errorf("%s is %d, and Kafka %s has %d", feature, finalized.MaxVersionLevel, want, wantLevel)
		}
		return nil
	}
	return fmt.Errorf("the broker does not say its %s", feature)
}

func verifyRoles(ctx context.Context, client *kgo.Client, node int32) error {
	const config = "process.roles"
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType = kmsg.ConfigResourceTypeBroker
	resource.ResourceName = strconv.Itoa(int(node))
	resource.ConfigNames = []string{config}
	request := kmsg.NewPtrDescribeConfigsRequest()
	request.Resources = append(request.Resources, resource)

	described, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("ask for the configuration of broker %d: %w", node, err)
	}
	for i := range described.Resources {
		if err := kerr.ErrorForCode(described.Resources[i].ErrorCode); err != nil {
			return fmt.Errorf("read the configuration of broker %d: %w", node, err)
		}
		for _, entry := range described.Resources[i].Configs {
			if entry.Name == config && entry.Value != nil && *entry.Value != "" {
				return nil
			}
		}
	}
	return fmt.Errorf("broker %d has no %s: it is not Apache Kafka, the embedded broker perhaps", node, config)
}
