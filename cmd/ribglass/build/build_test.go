package build

import (
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hash = "93049ea3bc8135c56231b57768dbc9014ce73222"

func TestWhatIsNotStampedInComesFromTheGoCommand(t *testing.T) {
	settings := func(list ...string) (all []debug.BuildSetting) {
		for i := 0; i < len(list); i += 2 {
			all = append(all, debug.BuildSetting{Key: list[i], Value: list[i+1]})
		}
		return all
	}
	for _, row := range []struct {
		name    string
		stamped Info
		info    debug.BuildInfo
		want    Info
	}{
		{
			"built in a working tree",
			Info{},
			debug.BuildInfo{
				Main:     debug.Module{Version: "(devel)"},
				Settings: settings("vcs.revision", hash, "vcs.time", "2026-11-30T16:08:00Z", "vcs.modified", "true"),
			},
			Info{Version: "", Commit: hash + "+changes", Date: "2026-11-30T16:08:00Z"},
		},
		{"installed by version", Info{}, debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, Info{Version: "v1.2.3"}},
		{
			"built by make, of a commit without a tag",
			Info{Commit: hash, Date: "2026-11-30T16:08:00Z"},
			debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20261130"}, Settings: settings("vcs.revision", "other")},
			Info{Commit: hash, Date: "2026-11-30T16:08:00Z"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, row.stamped.completed(&row.info)); diff != "" {
				t.Errorf("completed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestACommitWithoutATagIsNamed(t *testing.T) {
	for commit, want := range map[string]string{"": "devel", hash: "devel-93049ea3bc81", hash + "+changes": "devel-93049ea3bc81+changes"} {
		if got := versionOf(commit); got != want {
			t.Errorf("versionOf(%q) = %q, want %q", commit, got, want)
		}
	}
}

func TestTheDescriptionHasALineForEachFact(t *testing.T) {
	i := Info{Version: "v1.2.3", Commit: hash, Date: "2026-11-30T18:08:00+02:00", Go: "go1.26 linux/amd64"}
	want := "ribglass v1.2.3\ncommit " + hash + " of 2026-11-30T16:08:00Z\ngo1.26 linux/amd64\n"
	if diff := cmp.Diff(want, i.String()); diff != "" {
		t.Errorf("String (-want +got):\n%s", diff)
	}
	if got, want := (Info{Version: "devel", Go: "go1.26"}).String(), "ribglass devel\ngo1.26\n"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}
