package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync/atomic"
	"time"
)

// supplier stands for the service that knows the prices. It takes its time, fails
// now and then, and needs a while before it has a price for one article.
type supplier struct {
	takes time.Duration // a call
	late  time.Duration // that lateArticle has no price for, from opened on

	opened time.Time
	calls  atomic.Int64
}

const (
	failEvery   = 97 // calls
	lateArticle = "A13"
)

var errBusy = errors.New("the supplier is busy")

// cents implements priceList.
func (s *supplier) cents(ctx context.Context, article string) (int64, error) {
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	switch {
	case s.calls.Add(1)%failEvery == 0:
		return 0, errBusy
	case article == lateArticle && time.Since(s.opened) < s.late:
		return 0, fmt.Errorf("the supplier has no price for %s yet", article)
	}
	return listPrice(article), nil
}

// listPrice is the price of an article, the same each time.
func listPrice(article string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(article)) // it never fails
	return 100 + int64(h.Sum32()%10_000)
}
