// Package sinks holds ready-made sinks: effects outside at the end of a pipeline.
//
// A message may come more than once. Its id and its place (see
// [pipeline.Delivery]) are the same on every attempt, so that a sink can make its
// effect the same too.
package sinks
