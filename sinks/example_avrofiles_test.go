package sinks_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/linkedin/goavro/v2"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// A file says itself how it is to be read, so any reader of Avro will do.
func ExampleAvroFiles() {
	type Trade struct {
		Symbol string `avro:"symbol"`
		Price  int64  `avro:"price"`
	}
	dir, err := os.MkdirTemp("", "trades")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	sink := sinks.AvroFiles[Trade](dir, `{"type":"record","name":"Trade","fields":[
		{"name":"symbol","type":"string"},{"name":"price","type":"long"}]}`, sinks.RollConfig{})
	if _, err := pipeline.Apply(context.Background(), sink, Trade{"PEN", 250}); err != nil {
		fmt.Println(err)
		return
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.avro"))
	f, err := os.Open(names[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = f.Close() }()
	r, err := goavro.NewOCFReader(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	for r.Scan() {
		fmt.Println(r.Read())
	}
	// Output: map[price:250 symbol:PEN] <nil>
}
