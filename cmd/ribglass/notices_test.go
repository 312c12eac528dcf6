package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
)

func TestTheHistoryTellsWhatNeedsAttention(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	list := map[string][]route.Notice{"edge1": {{Kind: "other"}}}
	addHistoryNotices(list, history.Stats{Trouble: "write /var/lib/ribglass/history.db: there is no room", Ends: ago(time.Minute), LastGap: ago(30 * time.Minute)}, []history.Thinned{
		{Peer: "edge1", Since: ago(10 * time.Minute), Changes: 12, Bytes: 3 << 20},
		{Peer: "edge2", Since: ago(3 * time.Hour), Until: ago(2 * time.Hour), Changes: 5},
		{Peer: "edge3", Since: ago(3 * time.Hour), Until: ago(59 * time.Minute), Lost: true},
	}, now)
	want := map[string][]route.Notice{
		"": {
			{Kind: "history_stopped", Since: ago(time.Minute), Last: now, Text: "Changes are not written to the history, or it is not kept in order. The log says why."},
			{Kind: "history_gap", Since: ago(30 * time.Minute), Last: ago(30 * time.Minute), Text: "Changes of all peers are missing in the history, because they could not be written in time."},
		},
		"edge1": {{Kind: "other"}, {
			Kind: "history_thinned", Since: ago(10 * time.Minute), Last: now, Count: 12,
			Text: "It says more than its share of the history, history.peer_rate: 12 changes (3MiB) on the way to its last state are not recorded.",
		}},
		"edge3": {{
			Kind: "history_lost", Since: ago(3 * time.Hour), Last: ago(59 * time.Minute),
			Text: "It says far more than its share of the history, history.peer_rate: what it said is not recorded until the next snapshot.",
		}},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	quiet := map[string][]route.Notice{}
	if addHistoryNotices(quiet, history.Stats{Ends: now}, nil, now); len(quiet) > 0 {
		t.Errorf("without trouble: %v", quiet)
	}
}
