// Package connect makes the connections to brokers, cuts them when somebody is
// done, and calls what knows no context without waiting for longer than wanted.
package connect
