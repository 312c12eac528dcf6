package ui

import "ribglass/ribstore/route"

// attention writes what an operator should know, and how many more there are.
func (w *textWriter) attention(list []Attention, more int) {
	if len(list) == 0 {
		return
	}
	w.line("%s", w.english.T("attention.title"))
	for _, a := range list {
		about := a.Peer
		if about != "" {
			about += ": "
		}
		w.line("! %s%s", about, a.Text)
		w.line("  %s", w.seen(a.Notice))
	}
	if more > 0 {
		w.line("  %s", w.english.T("attention.more", more))
	}
	w.line("")
}

// noticesOf writes what an operator should know of a peer.
func (w *textWriter) noticesOf(list []route.Notice) {
	for _, n := range list {
		w.line("! %s", n.Text)
		w.line("  %s", w.seen(n))
	}
}

// seen says when something was seen, and how often.
func (w *textWriter) seen(n route.Notice) string {
	text := age(w.now, n.Last) + " ago"
	if n.Count > 1 {
		text += ", " + w.english.T("attention.times", n.Count) + " since " + utc(n.Since)
	}
	return text
}
