package saramaclient

import (
	"math"

	"github.com/IBM/sarama"
)

// membership is a client for a sarama consumer group that is not to fetch: its
// claims are fetched by a fetcher. sarama makes a consumer of each claim; here
// it learns of nobody to fetch from, asks for no offsets, and waits for no leader.
type membership struct {
	sarama.Client

	nobody *sarama.Broker
}

func newMembership(c sarama.Client) *membership {
	return &membership{Client: c, nobody: sarama.NewBroker("")} // never opened: a fetch from it fails at once
}

// LeaderAndEpoch names nobody.
func (m *membership) LeaderAndEpoch(string, int32) (*sarama.Broker, int32, error) {
	return m.nobody, -1, nil
}

// GetOffset names bounds that every offset lies in: the fetcher finds out.
func (m *membership) GetOffset(_ string, _ int32, time int64) (int64, error) {
	if time == sarama.OffsetNewest {
		return math.MaxInt64, nil
	}
	return 0, nil
}

// PartitionNotReadable is false: the fetcher waits for the leader.
func (m *membership) PartitionNotReadable(string, int32) bool { return false }
