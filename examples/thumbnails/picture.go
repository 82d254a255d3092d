package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // registers the format
	_ "image/jpeg"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/penstock/penstock/filters"
)

const (
	// thumbnailSide is the longer side of a thumbnail, in pixels.
	thumbnailSide = 128
	// maxPixels bounds what is decoded: a small file can claim a huge picture.
	maxPixels = 64 << 20
)

// readPicture decodes an image file. A broken one is rejected: trying again
// would not mend it. A file that cannot be read may be there the next time.
func readPicture(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	cfg, format, err := image.DecodeConfig(f)
	if err != nil {
		return nil, filters.Rejectf("decode: %w", err)
	}
	if pixels := cfg.Width * cfg.Height; pixels <= 0 || pixels > maxPixels {
		return nil, filters.Rejectf("a %s of %d × %d pixels: the limit is %d pixels", format, cfg.Width, cfg.Height, maxPixels)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	picture, _, err := image.Decode(f)
	if err != nil {
		return nil, filters.Rejectf("decode %s: %w", format, err)
	}
	return picture, nil
}

// shrink scales a picture down so that its longer side is thumbnailSide. A
// smaller picture keeps its size.
func shrink(picture image.Image) image.Image {
	b := picture.Bounds()
	w, h := b.Dx(), b.Dy()
	if longer := max(w, h); longer > thumbnailSide {
		w, h = max(1, w*thumbnailSide/longer), max(1, h*thumbnailSide/longer)
	}
	small := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(small, small.Bounds(), picture, b, draw.Src, nil)
	return small
}

// mark writes text into the lower left corner, light with a dark shadow.
func mark(picture image.Image, text string) image.Image {
	b := picture.Bounds()
	marked := image.NewNRGBA(b)
	draw.Draw(marked, b, picture, b.Min, draw.Src)
	for i, ink := range []color.Color{color.NRGBA{A: 0xc0}, color.NRGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xc0}} {
		d := font.Drawer{Dst: marked, Src: image.NewUniform(ink), Face: basicfont.Face7x13, Dot: fixed.P(b.Min.X+4-i, b.Max.Y-4-i)}
		d.DrawString(text)
	}
	return marked
}

func encode(picture image.Image) ([]byte, error) {
	var buf bytes.Buffer
	if err := png.Encode(&buf, picture); err != nil {
		return nil, fmt.Errorf("encode PNG: %w", err)
	}
	return buf.Bytes(), nil
}
