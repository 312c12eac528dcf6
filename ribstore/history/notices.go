package history

import (
	"fmt"
	"time"

	"ribglass/ribstore/route"
	"ribglass/setting"
)

// The notices of a history.
const (
	noticeStopped route.NoticeKind = "history_stopped" // of the program: nothing is written at the moment
	noticeGap     route.NoticeKind = "history_gap"     // of the program: a part of what was recorded is lost
	noticeThinned route.NoticeKind = "history_thinned" // of a peer: changes are missing
	noticeLost    route.NoticeKind = "history_lost"    // of a peer: its state is not known
)

// How long notices stay after what they tell has ended.
const (
	thinnedFor = time.Hour
	gapFor     = 24 * time.Hour
)

// Notices returns what an operator should know of the history, by the peer that it
// is about, "" for the whole. Everybody may read it, so it does not say where the file
// lies.
func (h *History) Notices() map[string][]route.Notice {
	now, list := h.deps.Now(), make(map[string][]route.Notice)
	for _, t := range h.Thinned() {
		if t.Until.IsZero() || now.Sub(t.Until) < thinnedFor {
			list[t.Peer] = append(list[t.Peer], t.notice(now))
		}
	}
	if since := h.troubleSince.Load(); since != nil {
		const text = "Changes are not written to the history, or it is not kept in order. The log says why."
		list[""] = append(list[""], route.Notice{Kind: noticeStopped, Since: *since, Last: now, Text: text})
	}
	if n, wrong := h.clockNotice(now); wrong {
		list[""] = append(list[""], n)
	}
	if gap := h.lastGap.Load(); gap != nil && now.Sub(*gap) < gapFor {
		const text = "A part of the history is lost: more was recorded than there is room for."
		list[""] = append(list[""], route.Notice{Kind: noticeGap, Since: *gap, Last: *gap, Text: text})
	}
	return list
}

func (t *Thinned) notice(now time.Time) route.Notice {
	n := route.Notice{Kind: noticeThinned, Since: t.Since, Last: t.Until, Count: t.Changes}
	if t.Until.IsZero() {
		n.Last = now
	}
	if t.Lost {
		n.Kind = noticeLost
		n.Text = fmt.Sprintf("It says far more than its share of the history, peer_rate: %d changes (%v) are not recorded, and its past is unknown until the next snapshot.", t.Changes, setting.Size(t.Bytes))
		return n
	}
	n.Text = fmt.Sprintf("It says more than its share of the history, peer_rate: %d changes (%v) are left out, and its last state is recorded.", t.Changes, setting.Size(t.Bytes))
	return n
}
