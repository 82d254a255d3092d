// Package router runs the stages and sources of pipelines: one Watermill
// router a process, a handler a stage.
//
// A stage's handler receives what the transport read as a batch and runs the
// filter message by message. Around each call stand, from the outside in, in
// this order and composed once:
//
//   - the stop guard: being stopped is never a failure of a message;
//   - poison: what cannot succeed is stored with its story, and the flow goes on;
//   - the size and the envelope of the record are checked;
//   - retry: the attempts of the stage, with backoff and jitter;
//   - the breaker, where the stage has one: while what the filter calls is down, one
//     attempt at a time;
//   - recover: a panic is an error of this message;
//   - the time-out of an attempt;
//   - the user's Watermill middleware, in the order in which it was given;
//   - decoding, the filter, encoding.
package router
