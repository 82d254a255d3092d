// Package filters holds ready-made filters: plain functions become stages.
package filters
