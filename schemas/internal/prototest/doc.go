// Package prototest has the messages that tests of the Protobuf codec use. Its
// other files are made of order.proto and money.proto by protoc with protoc-gen-go
// and --go_opt=paths=source_relative.
package prototest
