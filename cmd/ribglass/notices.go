package main

import (
	"fmt"
	"time"

	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/setting"
)

// The notices of the history.
const (
	noticeStopped route.NoticeKind = "history_stopped" // of the program
	noticeGap     route.NoticeKind = "history_gap"     // of the program
	noticeThinned route.NoticeKind = "history_thinned" // of a peer
	noticeUnknown route.NoticeKind = "history_lost"    // of a peer
)

// noticeTime is for how long an operator should know of what is over.
const noticeTime = time.Hour

// notices returns what an operator should know beside what sessions say, by peer,
// "" for the program.
func (s *server) notices() map[string][]route.Notice {
	list := s.store.Notices()
	if s.history != nil {
		addHistoryNotices(list, s.history.Stats(), s.history.Thinned(), time.Now())
	}
	return list
}

func addHistoryNotices(list map[string][]route.Notice, stats history.Stats, thinned []history.Thinned, now time.Time) {
	add := func(peer string, n route.Notice) { list[peer] = append(list[peer], n) }
	if stats.Trouble != "" { // which may name a path: that is for the operator alone
		add("", route.Notice{Kind: noticeStopped, Since: stats.Ends, Last: now, Text: "Changes are not written to the history, or it is not kept in order. The log says why."})
	}
	if gap := stats.LastGap; now.Sub(gap) < noticeTime {
		add("", route.Notice{Kind: noticeGap, Since: gap, Last: gap, Text: "Changes of all peers are missing in the history, because they could not be written in time."})
	}
	for _, t := range thinned {
		last := t.Until
		if last.IsZero() {
			last = now
		}
		if now.Sub(last) >= noticeTime {
			continue
		}
		n := route.Notice{Kind: noticeThinned, Since: t.Since, Last: last, Count: t.Changes}
		n.Text = fmt.Sprintf("It says more than its share of the history, history.peer_rate: %d changes (%s) on the way to its last state are not recorded.", t.Changes, setting.Size(t.Bytes))
		if t.Lost {
			n.Kind = noticeUnknown
			n.Text = "It says far more than its share of the history, history.peer_rate: what it said is not recorded until the next snapshot."
		}
		add(t.Peer, n)
	}
}
