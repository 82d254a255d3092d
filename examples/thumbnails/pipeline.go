package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
	"github.com/penstock/penstock/sources"
)

// folders is where pictures come from and go to.
type folders struct {
	in    string
	out   string
	watch bool
}

// work is where the stages leave pictures for each other. A message carries
// the name of the file, not the picture: a claim check. The folder must be one
// that all processes see; it can be deleted when nothing is under way.
func (f *folders) work() string { return filepath.Join(f.out, ".work") }

// Picture is a picture on its way.
type Picture struct {
	Name string `json:"name"` // below the folder it came from
	File string `json:"file"` // what the last stage wrote, below the work folder
}

// Thumbnails declares the pipeline: found → resize → watermark → publish.
func Thumbnails(f *folders) *pipeline.Pipeline {
	p := pipeline.New("thumbnails")

	found := pipeline.Source(p, "found", sources.Files(f.in, f.which()...),
		pipeline.Key(func(file sources.File) string { return file.Name }),
		pipeline.Partitions(partitions))

	resized := pipeline.Stage(found, "resize", filters.Map(f.resize),
		pipeline.Partitions(partitions), patience)

	marked := pipeline.Stage(resized, "watermark", filters.Map(f.watermark),
		pipeline.Partitions(partitions), patience)

	pipeline.Sink(marked, "publish", sinks.Files(f.out, f.published), patience)
	return p
}

// partitions is how many pictures a stage can work on side by side, over all
// of its processes.
const partitions = 8

// patience is what all stages share. The attempts are for a disk that is full for
// a while; what is broken is rejected
// at once.
var patience = pipeline.Options(
	pipeline.Lanes(1), // pictures take memory and a core each: more side by side would gain nothing
	pipeline.Timeout(time.Minute),
	pipeline.Retry(5, pipeline.Exponential(200*time.Millisecond, 5*time.Second)))

func (f *folders) which() []sources.FilesOption {
	options := []sources.FilesOption{sources.Glob("*.png", "*.jpg", "*.jpeg", "*.gif")}
	if f.watch {
		options = append(options, sources.Watch())
	}
	return options
}

func (f *folders) resize(_ context.Context, file sources.File) (Picture, error) {
	picture, err := readPicture(file.Path)
	if err != nil {
		return Picture{}, err
	}
	data, err := encode(shrink(picture))
	if err != nil {
		return Picture{}, err
	}
	done := Picture{Name: file.Name, File: "resized/" + file.Name + ".png"}
	return done, sinks.WriteFile(f.work(), done.File, data)
}

func (f *folders) watermark(_ context.Context, p Picture) (Picture, error) {
	picture, err := readPicture(filepath.Join(f.work(), filepath.FromSlash(p.File)))
	if err != nil {
		return Picture{}, err
	}
	data, err := encode(mark(picture, "penstock"))
	if err != nil {
		return Picture{}, err
	}
	done := Picture{Name: p.Name, File: "marked/" + p.Name + ".png"}
	return done, sinks.WriteFile(f.work(), done.File, data)
}

// published is the thumbnail as it is written to the folder for the results.
func (f *folders) published(_ context.Context, p Picture) (name string, data []byte, err error) {
	data, err = os.ReadFile(filepath.Join(f.work(), filepath.FromSlash(p.File)))
	return p.Name + ".png", data, err
}
