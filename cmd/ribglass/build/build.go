// Package build says what the running program was built of: the version, the
// commit, and when the commit was made. The Makefile stamps them in; a program
// that was built without make has what the go command knows of the working tree.
// It never says when the program was built, so that the same commit makes the same
// program.
package build

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// What the Makefile stamps in with -ldflags -X. Each may be empty.
//
//nolint:gochecknoglobals // the linker sets variables of packages only
var (
	version string // the tag that the commit has or follows, such as "v1.2.3"
	commit  string // the whole hash; with "+changes" behind it when files differed from it
	date    string // when the commit was made, RFC 3339
)

// changes stands behind a commit that the files differed from.
const changes = "+changes"

// Info describes a program. The zero value describes a program that nothing is known
// of.
type Info struct {
	Version string // for people: never empty
	Commit  string // "" when it is not known; may end in "+changes"
	Date    string // of the commit, RFC 3339 in UTC; "" when it is not known
	Go      string // version of Go, operating system and architecture
}

// Of returns what the running program was built of.
func Of() Info {
	i := Info{Version: version, Commit: commit, Date: date, Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		i = i.completed(info)
	}
	if i.Version == "" {
		i.Version = versionOf(i.Commit)
	}
	return i
}

// Version returns the version alone.
func Version() string { return Of().Version }

// completed returns i with what is not known taken from what the go command wrote
// into the program.
func (i Info) completed(info *debug.BuildInfo) Info {
	if v := info.Main.Version; i.Version == "" && i.Commit == "" && v != "(devel)" {
		i.Version = v // it was installed by version, or go made one up of the commit
	}
	if i.Commit != "" {
		return i
	}
	changed := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			i.Commit = s.Value
		case "vcs.time":
			i.Date = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				changed = changes
			}
		}
	}
	if i.Commit != "" {
		i.Commit += changed
	}
	return i
}

// versionOf names a commit without a tag.
func versionOf(commit string) string {
	if commit == "" {
		return "devel"
	}
	hash, changed := strings.CutSuffix(commit, changes)
	name := "devel-" + hash[:min(12, len(hash))]
	if changed {
		name += changes
	}
	return name
}

// String returns the description in lines.
func (i Info) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ribglass %s\n", i.Version)
	if i.Commit != "" {
		fmt.Fprintf(&b, "commit %s", i.Commit)
		if at, err := time.Parse(time.RFC3339, i.Date); err == nil {
			fmt.Fprintf(&b, " of %s", at.UTC().Format(time.RFC3339))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintln(&b, i.Go)
	return b.String()
}
