package page

import (
	"ribglass/httpapi/ask"
	"ribglass/httpapi/v1"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// refusedPath is the page of the connections that got no session.
const refusedPath = "/refused"

// refusedRow is that page.
func refusedRow() row[nothing, nothing] {
	return row[nothing, nothing]{
		path: refusedPath, read: readNothing,
		ask:  func(*visit, nothing) (nothing, error) { return nothing{}, nil },
		json: func(v *visit, _, _ nothing) error { return v.SendJSON(v1.RefusedOf(v.reader)) },
		show: showRefused,
	}
}

func showRefused(v *visit, _, _ nothing) ui.Page {
	page := &ui.RefusedConnections{Frame: v.timelessFrame(catalogue.Say("refused.title"), refusedPath, ask.Scene{}, nil)}
	list, errs := v.reader.Refused()
	page.MD5 = errs
	for _, one := range list {
		shown := ui.RefusedAttempt{Attempt: one}
		if _, err := v.reader.Session(one.Peer); err == nil {
			shown.PeerURL = ask.Scene{}.Peer(one.Peer)
		}
		page.Attempts = append(page.Attempts, shown)
	}
	return page
}
