package bgp

import (
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// downRetention returns how long routes stay after a session ended with e. The
// package comment has the policy.
func downRetention(conf Settings, agreed wire.Session, e *ending) (keep [route.NumFamilies]route.Retention) {
	if e.drop {
		return keep
	}
	gr := agreed.GracefulRestart
	covered := !e.notified || gr.Notification
	for _, f := range route.Families() {
		if !agreed.Families[f] {
			continue
		}
		if !covered || !gr.Families[f] {
			keep[f].Stale = conf.StaleTime
			continue
		}
		keep[f].Stale = min(gr.Time, conf.MaxStaleTime)
		keep[f].Graceful, keep[f].AsFresh = true, !conf.DemoteRestarting
		if agreed.LongLived.Families[f] {
			keep[f].LongLived = min(agreed.LongLived.Time[f], conf.MaxStaleTime)
			// The long-lived phase may begin at once (RFC 9494 section 4.2), but
			// zero here would mean that nothing is kept.
			keep[f].Stale = max(keep[f].Stale, time.Second)
		}
	}
	return keep
}

// upRetention returns how long stale routes may wait for End-of-RIB of a new session;
// before tells which families had graceful restart in the session before. Where the
// new session has none for such a family, its routes go at once (RFC 4724 section
// 4.2). Those of a peer that never had graceful restart are kept and labeled stale,
// so that they do not vanish for the seconds in which the table is sent again: a
// looking glass does not forward along them.
func upRetention(conf Settings, agreed wire.Session, before [route.NumFamilies]bool) (keep [route.NumFamilies]route.Retention) {
	gr := agreed.GracefulRestart
	for _, f := range route.Families() {
		lost := gr.Restarting && !gr.Forwarding[f] || before[f] && !gr.Families[f]
		if agreed.Families[f] && !lost {
			keep[f].Stale = conf.StaleSweep
		}
	}
	return keep
}
