package cmd

import (
	"log/slog"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/router/kafka"
)

// The flags that choose the cluster.
const (
	brokersFlag = "brokers"
	dataDirFlag = "data-dir"
)

// connection are the flags by which a command reaches its cluster.
type connection struct {
	flags   *pflag.FlagSet // those of the command
	brokers []string
	dataDir string
	tls     tlsFlags
	sasl    saslFlags
}

func newConnection(flags *pflag.FlagSet) *connection {
	c := &connection{flags: flags}
	flags.StringSliceVar(&c.brokers, brokersFlag, nil, "`host:port` of brokers of the Kafka cluster, several with commas (default: the embedded broker of the data directory)")
	addDataDir(flags, &c.dataDir)
	c.tls.add(flags)
	c.sasl.add(flags)
	return c
}

func addDataDir(flags *pflag.FlagSet, dir *string) {
	flags.StringVar(dir, dataDirFlag, ".penstock", "`directory` of the embedded broker's data")
}

// remote tells that the user named a cluster.
func (c *connection) remote() bool { return c.flags.Changed(brokersFlag) }

// config makes the transport's configuration for a cluster that was named, and
// an empty one for the embedded broker.
func (c *connection) config() (kafka.Config, error) {
	if c.dataDir == "" {
		return kafka.Config{}, wrongUse("%s is empty: name a directory", given(c.flags, dataDirFlag))
	}
	if !c.remote() {
		for _, name := range append(tlsNames(), saslNames()...) {
			if c.flags.Changed(name) {
				return kafka.Config{}, wrongUse("%s is for a Kafka cluster, and the embedded broker has no such thing: name a cluster with --%s, or leave it out", given(c.flags, name), brokersFlag)
			}
		}
		return kafka.Config{}, nil
	}
	if c.flags.Changed(dataDirFlag) {
		return kafka.Config{}, wrongUse("%s names a Kafka cluster and %s the embedded broker's data: leave one of them out", given(c.flags, brokersFlag), given(c.flags, dataDirFlag))
	}
	if err := c.checkBrokers(); err != nil {
		return kafka.Config{}, err
	}
	tlsConfig, err := c.tls.config(c.flags)
	if err != nil {
		return kafka.Config{}, err
	}
	sasl, err := c.sasl.config(c.flags)
	if err != nil {
		return kafka.Config{}, err
	}
	return kafka.Config{Brokers: c.brokers, TLS: tlsConfig, SASL: sasl}, nil
}

// warn tells of what works and should not be done.
func (c *connection) warn(log *slog.Logger) {
	mechanism := kafka.Mechanism(c.sasl.mechanism.value)
	if c.tls.wanted(c.flags) || (mechanism != kafka.Plain && mechanism != kafka.OAuthBearer) {
		return
	}
	log.Warn("this mechanism sends the secret readable for everybody on the way: use TLS too", "mechanism", string(mechanism))
}

func (c *connection) checkBrokers() error {
	if len(c.brokers) == 0 {
		return wrongUse("%s is empty: name at least one broker as host:port", given(c.flags, brokersFlag))
	}
	for i, b := range c.brokers {
		c.brokers[i] = strings.TrimSpace(b)
		host, port, err := net.SplitHostPort(c.brokers[i])
		number, errPort := strconv.ParseUint(port, 10, 16)
		if err != nil || errPort != nil || host == "" || number == 0 {
			return wrongUse("%s: %q is not host:port, as in kafka-1:9092", given(c.flags, brokersFlag), b)
		}
	}
	return nil
}
