package router

import (
	"github.com/penstock/penstock/pipeline"
)

// ACL is a right that a stage or a source needs on a cluster that asks for
// rights, in the words of Kafka.
type ACL struct {
	For       string       `json:"for"` // "<pipeline>.<stage>" or "<pipeline>.<source>"
	Resource  ACLResource  `json:"resource"`
	Name      string       `json:"name"`
	Prefixed  bool         `json:"prefixed,omitempty"` // it is for all names that begin with Name
	Operation ACLOperation `json:"operation"`
}

// ACLResource is a kind of what a right is for.
type ACLResource string

// The resources.
const (
	TopicResource         ACLResource = "topic"
	GroupResource         ACLResource = "group"
	TransactionalResource ACLResource = "transactional-id"
)

// ACLOperation is what a right allows.
type ACLOperation string

// The operations. Read and Write include Describe. DescribeConfigs is needed
// beside them: a router looks at the settings of its topics before it runs, and
// at the largest record that they take. Delete is for the records of a retry log
// that are done with.
const (
	ReadOperation            ACLOperation = "Read"
	WriteOperation           ACLOperation = "Write"
	DescribeConfigsOperation ACLOperation = "DescribeConfigs"
	DeleteOperation          ACLOperation = "Delete"
)

// ACLs lists the rights that the stages and sources of pipelines need to run,
// each for itself: exactly these, no more. They suffice where a process waits
// for its own stages to catch up; where it runs alone what others feed, that wait
// (AwaitDrained) also looks at theirs. An idempotent producer needs no right on
// the cluster since Kafka 2.8: a right to write to some topic is enough, and so is
// one to the ids of its transactions.
func ACLs(graphs ...*pipeline.Graph) []ACL {
	var acls []ACL
	for _, g := range graphs {
		for _, s := range g.Sources {
			acls = append(acls, sourceACLs(g.Name+"."+s.Name, s)...)
		}
		for _, s := range g.Stages {
			acls = append(acls, stageACLs(s)...)
		}
	}
	return acls
}

func stageACLs(s *pipeline.StageNode) []ACL {
	var acls []ACL
	for _, p := range s.Inputs {
		acls = append(acls, topicACLs(s.Group, p.Topic, ReadOperation)...)
	}
	acls = append(acls, ACL{For: s.Group, Resource: GroupResource, Name: s.Group, Operation: ReadOperation})
	if s.ExactlyOnce { // one id for each partition number
		acls = append(acls, ACL{For: s.Group, Resource: TransactionalResource, Name: s.Group + "-", Prefixed: true, Operation: WriteOperation})
	}
	for _, p := range s.Outputs {
		acls = append(acls, topicACLs(s.Group, p.Topic, WriteOperation)...)
	}
	for _, topic := range s.OutsideTopics {
		acls = append(acls, topicACLs(s.Group, topic, WriteOperation)...)
	}
	for _, log := range s.RetryTopics {
		acls = append(acls, topicACLs(s.Group, log, ReadOperation, WriteOperation, DeleteOperation)...)
	}
	return append(acls, topicACLs(s.Group, s.PoisonTopic, WriteOperation)...)
}

func sourceACLs(name string, s *pipeline.SourceNode) []ACL {
	acls := topicACLs(name, s.Pipe.Topic, WriteOperation)
	if s.Once {
		acls = append(acls, topicACLs(name, s.OnceTopic, ReadOperation, WriteOperation)...)
	}
	if s.CopyOf != "" {
		acls = append(acls, topicACLs(name, s.CopyOf, ReadOperation)...)
		acls = append(acls, ACL{For: name, Resource: GroupResource, Name: s.Group, Operation: ReadOperation})
	}
	return acls
}

// topicACLs are rights on a topic, and the one to read its settings.
func topicACLs(who, topic string, operations ...ACLOperation) []ACL {
	acls := make([]ACL, 0, len(operations)+1)
	for _, o := range append(operations, DescribeConfigsOperation) {
		acls = append(acls, ACL{For: who, Resource: TopicResource, Name: topic, Operation: o})
	}
	return acls
}
