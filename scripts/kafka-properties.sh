#!/usr/bin/env bash
# Prints the properties of one node: kafka-properties.sh ID NODES PORT DATA_DIR
#
# The clients' listener of node 1 is at PORT, that of node 2 at PORT+1, and so
# on; the controllers are 100 higher. docker-compose.yml has the same settings.
set -euo pipefail

id=$1 nodes=$2 port=$3 data_dir=$4

# As many copies as there are nodes; with three, one may be down.
replication=$nodes
min_in_sync=$((nodes > 1 ? nodes - 1 : 1))

voters=
for ((n = 1; n <= nodes; n++)); do
	voters+=${voters:+,}$n@127.0.0.1:$((port + 99 + n))
done

cat <<PROPERTIES
process.roles=broker,controller
node.id=$id
controller.quorum.voters=$voters
listeners=PLAINTEXT://127.0.0.1:$((port + id - 1)),CONTROLLER://127.0.0.1:$((port + 99 + id))
advertised.listeners=PLAINTEXT://127.0.0.1:$((port + id - 1))
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=$data_dir

# Topics are made on purpose or not at all.
auto.create.topics.enable=false
default.replication.factor=$replication
min.insync.replicas=$min_in_sync

# The internal topics: few partitions, so that the first group starts fast.
offsets.topic.replication.factor=$replication
offsets.topic.num.partitions=10
transaction.state.log.replication.factor=$replication
transaction.state.log.min.isr=$min_in_sync
transaction.state.log.num.partitions=10
share.coordinator.state.topic.replication.factor=$replication
share.coordinator.state.topic.min.isr=$min_in_sync
share.coordinator.state.topic.num.partitions=10

# A group starts at once, and a killed member costs a second, not forty-five.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
PROPERTIES
