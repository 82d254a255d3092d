// Package sources holds ready-made sources: what happens outside starts jobs.
package sources
