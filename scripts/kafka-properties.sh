#!/usr/bin/env bash
# Prints the properties of one node: kafka-properties.sh ID NODES PORT DATA_DIR [SECRETS_DIR]
#
# The clients' listener of node 1 is at PORT, that of node 2 at PORT+1, and so
# on; the controllers are 100 higher. docker-compose.yml has the same settings.
#
# With CHAOS=on clients can also connect 400 higher, and are told there that the
# brokers are 500 higher: something has to listen there and pass them on. And a dead
# node is found in two seconds.
#
# With SECRETS_DIR, which kafkasecrets makes, clients have to authenticate and
# need rights: by SASL 200 higher, by a certificate 300 higher. PORT stays open to
# the node itself and to whoever sets tests up, with all rights.
set -euo pipefail

id=$1 nodes=$2 port=$3 data_dir=$4 secrets_dir=${5:-}

# As many copies as there are nodes; with three, one may be down.
replication=$nodes
min_in_sync=$((nodes > 1 ? nodes - 1 : 1))

voters=
for ((n = 1; n <= nodes; n++)); do
	voters+=${voters:+,}$n@127.0.0.1:$((port + 99 + n))
done

plain=PLAINTEXT://127.0.0.1:$((port + id - 1))
protocols=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
secure=
if [[ $secrets_dir ]]; then
	protocols+=,SASL_SSL:SASL_SSL,SSL:SSL
	secure=,SASL_SSL://127.0.0.1:$((port + 199 + id)),SSL://127.0.0.1:$((port + 299 + id))
fi

links= told_links=
if [[ ${CHAOS:-off} == on ]]; then
	protocols+=,LINKS:PLAINTEXT
	links=,LINKS://127.0.0.1:$((port + 399 + id))
	told_links=,LINKS://127.0.0.1:$((port + 499 + id))
fi

cat <<PROPERTIES
process.roles=broker,controller
node.id=$id
controller.quorum.voters=$voters
listeners=$plain,CONTROLLER://127.0.0.1:$((port + 99 + id))$secure$links
advertised.listeners=$plain$secure$told_links
listener.security.protocol.map=$protocols
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

if [[ $links ]]; then
	cat <<PROPERTIES
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
replica.lag.time.max.ms=5000
PROPERTIES
fi

[[ $secrets_dir ]] || exit 0

cat <<PROPERTIES

# Who is not listed has the rights that ACLs give, and without any ACL none.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:ANONYMOUS;User:client;User:CN=client

ssl.keystore.type=PEM
ssl.keystore.location=$secrets_dir/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=$secrets_dir/ca.pem
listener.name.ssl.ssl.client.auth=required

# SCRAM's credentials are stored when the node is formatted. Tokens are those
# without a signature, so that a test can make them.
listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_client="$(<"$secrets_dir/password")";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
# A connection by token has to present a token again and again.
listener.name.sasl_ssl.oauthbearer.connections.max.reauth.ms=4000
PROPERTIES
