package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pictures makes a folder with pictures and one broken file.
func pictures(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "more"), 0o755))
	for name, size := range map[string]image.Rectangle{
		"wide.png": image.Rect(0, 0, 600, 300), "more/tall.png": image.Rect(10, 10, 110, 410), "tiny.png": image.Rect(0, 0, 3, 5),
	} {
		picture := image.NewNRGBA(size)
		for i := range picture.Pix {
			picture.Pix[i] = byte(i)
		}
		var buf bytes.Buffer
		require.NoError(t, png.Encode(&buf, picture))
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), buf.Bytes(), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken.png"), []byte("\x89PNG\r\n\x1a\nbroken"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("not a picture"), 0o600))
	return dir
}

func run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = program().Main(t.Context(), args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

func TestThumbnails(t *testing.T) {
	in, out, data := pictures(t), t.TempDir(), t.TempDir()
	flags := []string{"--in", in, "--out", out, "--data-dir", filepath.Join(data, "broker")}

	status, stdout, stderr := run(t, flags...)
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "3 thumbnails in "+out+", 1 pictures poisoned")
	for name, want := range map[string]image.Point{"wide.png": {X: 128, Y: 64}, "more/tall.png": {X: 32, Y: 128}, "tiny.png": {X: 3, Y: 5}} {
		require.Equal(t, want, size(t, filepath.Join(out, filepath.FromSlash(name)+".png")), name)
	}

	status, stdout, stderr = run(t, append([]string{"poison", "ls"}, flags[4:]...)...)
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "thumbnails.resize")
	require.Contains(t, stdout, "decode: unexpected EOF")

	// A second run finds the folder taken, and only the picture that is new.
	require.NoError(t, os.Rename(filepath.Join(in, "wide.png"), filepath.Join(in, "new.png")))
	status, stdout, stderr = run(t, flags...)
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "1 thumbnails in "+out+", 0 pictures poisoned")
	require.FileExists(t, filepath.Join(out, "new.png.png"))
}

func size(t *testing.T, path string) image.Point {
	t.Helper()
	picture, err := readPicture(path)
	require.NoError(t, err)
	return picture.Bounds().Size()
}

func TestAFileThatClaimsAHugePictureIsRejected(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	require.NoError(t, png.Encode(&buf, image.NewGray(image.Rect(0, 0, 1, 1))))
	huge := buf.Bytes()
	copy(huge[16:24], []byte{0, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0xff}) // width and height
	path := filepath.Join(t.TempDir(), "huge.png")
	require.NoError(t, os.WriteFile(path, huge, 0o600))
	_, err := readPicture(path)
	require.Error(t, err)
}

func TestTheMarkIsOnThePicture(t *testing.T) {
	t.Parallel()
	plain := image.NewUniform(color.NRGBA{R: 10, G: 20, B: 30, A: 255})
	picture := image.NewNRGBA(image.Rect(0, 0, 100, 40))
	for x := range 100 {
		for y := range 40 {
			picture.Set(x, y, plain.C)
		}
	}
	marked := mark(picture, "penstock")
	changed := 0
	for x := range 100 {
		for y := range 40 {
			if marked.At(x, y) != picture.At(x, y) {
				changed++
			}
		}
	}
	require.Greater(t, changed, 50)
	require.Less(t, changed, 2000, "most of the picture is left alone")
}
