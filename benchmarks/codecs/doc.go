// Package codecs measures the codecs of Penstock beside others: run
//
//	go test -bench . ./codecs
package codecs
