package ui_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ui"
)

func TestBandsAreNamedAfterPeerAndPath(t *testing.T) {
	p := ui.Timeline{Rows: []ui.TimelineRow{
		{Peer: "edge1"}, {Peer: "rs1", AddPath: true, PathID: 4}, {Peer: strings.Repeat("long", 20), AddPath: true, PathID: 7}, {Peer: "\x1b\u202e"},
	}}
	var got []string
	for _, row := range p.Bands().Rows {
		got = append(got, row.Name)
	}
	want := []string{"edge1", "rs1 path 4", "longlonglonglo… path 7", "\ufffd\ufffd"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
