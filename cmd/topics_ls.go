package cmd

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/router/kafka"
)

// topicDocument is a topic for scripts.
type topicDocument struct {
	Name        string            `json:"name"`
	Partitions  int               `json:"partitions"`
	Replication int               `json:"replication"`
	Configs     map[string]string `json:"configs"`
}

func (a *app) topicsLs() *cobra.Command {
	c := &cobra.Command{
		Use:     "ls",
		Short:   "List the topics of the cluster",
		Long:    "Ls lists the topics of the cluster, but for those that Kafka keeps for itself.",
		Example: a.example("{} topics ls", "{} topics ls --brokers kafka-1:9092 --json"),
		Args:    cobra.NoArgs,
	}
	connection := newConnection(c.Flags())
	asJSON := c.Flags().Bool(jsonFlag, false, "print JSON")
	return a.does(c, func(ctx context.Context, _ []string) error {
		topics, err := a.listTopics(ctx, connection)
		if err != nil {
			return err
		}
		if *asJSON {
			a.stdout.document(topics)
			return nil
		}
		t := &table{head: []string{"TOPIC", "PARTITIONS", "REPLICATION", "RETENTION.MS", "MAX.MESSAGE.BYTES"}}
		for _, x := range topics {
			t.add(x.Name, strconv.Itoa(x.Partitions), strconv.Itoa(x.Replication), x.Configs["retention.ms"], x.Configs["max.message.bytes"])
		}
		t.write(a.stdout)
		return nil
	})
}

func (a *app) listTopics(ctx context.Context, c *connection) ([]topicDocument, error) {
	topics := []topicDocument{}
	err := a.withCluster(ctx, c, func(_ *cluster, admin *kafka.Admin) error {
		names, err := admin.TopicNames(ctx)
		if err != nil {
			return err
		}
		names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "__") })
		found, err := admin.Topics(ctx, names...)
		if err != nil {
			return err
		}
		for _, name := range names {
			if t, ok := found[name]; ok { // it may have been deleted meanwhile
				topics = append(topics, topicDocument{Name: t.Name, Partitions: t.Partitions, Replication: t.Replication, Configs: t.Configs})
			}
		}
		return nil
	})
	return topics, err
}
