package sinks

import "io/fs"

// FilesOption is an option of [Files] and [WriteFile].
type FilesOption func(*filesSettings)

type filesSettings struct {
	mode fs.FileMode
}

// Mode is the mode of the files, before the umask. Defaults to 0o644. Folders get
// 0o755, before the umask.
func Mode(perm fs.FileMode) FilesOption {
	return func(s *filesSettings) { s.mode = perm.Perm() }
}

func newFilesSettings(opts []FilesOption) filesSettings {
	s := filesSettings{mode: 0o644}
	for _, opt := range opts {
		opt(&s)
	}
	return s
}
