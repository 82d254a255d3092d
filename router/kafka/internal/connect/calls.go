package connect

import "github.com/IBM/sarama"

// What follows are the calls that ask a broker, and so can take long.

// Controller implements sarama.Client.
func (c *Client) Controller() (*sarama.Broker, error) { return counted(c, c.Client.Controller) }

// RefreshController implements sarama.Client.
func (c *Client) RefreshController() (*sarama.Broker, error) {
	return counted(c, c.Client.RefreshController)
}

// Partitions implements sarama.Client.
func (c *Client) Partitions(topic string) ([]int32, error) {
	return counted(c, func() ([]int32, error) { return c.Client.Partitions(topic) })
}

// WritablePartitions implements sarama.Client.
func (c *Client) WritablePartitions(topic string) ([]int32, error) {
	return counted(c, func() ([]int32, error) { return c.Client.WritablePartitions(topic) })
}

// Leader implements sarama.Client.
func (c *Client) Leader(topic string, partition int32) (*sarama.Broker, error) {
	return counted(c, func() (*sarama.Broker, error) { return c.Client.Leader(topic, partition) })
}

// LeaderAndEpoch implements sarama.Client.
func (c *Client) LeaderAndEpoch(topic string, partition int32) (leader *sarama.Broker, epoch int32, err error) {
	end := c.begin()
	defer end()
	return c.Client.LeaderAndEpoch(topic, partition)
}

// Replicas implements sarama.Client.
func (c *Client) Replicas(topic string, partition int32) ([]int32, error) {
	return counted(c, func() ([]int32, error) { return c.Client.Replicas(topic, partition) })
}

// InSyncReplicas implements sarama.Client.
func (c *Client) InSyncReplicas(topic string, partition int32) ([]int32, error) {
	return counted(c, func() ([]int32, error) { return c.Client.InSyncReplicas(topic, partition) })
}

// OfflineReplicas implements sarama.Client.
func (c *Client) OfflineReplicas(topic string, partition int32) ([]int32, error) {
	return counted(c, func() ([]int32, error) { return c.Client.OfflineReplicas(topic, partition) })
}

// RefreshMetadata implements sarama.Client.
func (c *Client) RefreshMetadata(topics ...string) error {
	end := c.begin()
	defer end()
	return c.Client.RefreshMetadata(topics...)
}

// GetOffset implements sarama.Client.
func (c *Client) GetOffset(topic string, partition int32, time int64) (int64, error) {
	return counted(c, func() (int64, error) { return c.Client.GetOffset(topic, partition, time) })
}

// Coordinator implements sarama.Client.
func (c *Client) Coordinator(group string) (*sarama.Broker, error) {
	return counted(c, func() (*sarama.Broker, error) { return c.Client.Coordinator(group) })
}

// RefreshCoordinator implements sarama.Client.
func (c *Client) RefreshCoordinator(group string) error {
	end := c.begin()
	defer end()
	return c.Client.RefreshCoordinator(group)
}

// TransactionCoordinator implements sarama.Client.
func (c *Client) TransactionCoordinator(id string) (*sarama.Broker, error) {
	return counted(c, func() (*sarama.Broker, error) { return c.Client.TransactionCoordinator(id) })
}

// RefreshTransactionCoordinator implements sarama.Client.
func (c *Client) RefreshTransactionCoordinator(id string) error {
	end := c.begin()
	defer end()
	return c.Client.RefreshTransactionCoordinator(id)
}

// InitProducerID implements sarama.Client.
func (c *Client) InitProducerID() (*sarama.InitProducerIDResponse, error) {
	return counted(c, c.Client.InitProducerID)
}
