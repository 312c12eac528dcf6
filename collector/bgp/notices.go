package bgp

import (
	"cmp"
	"slices"
	"time"

	"ribglass/ribstore/route"
)

// notices are what an operator should know of a neighbor, by kind. Its owner
// guards it.
type notices map[route.NoticeKind]route.Notice

// list returns the notices in the order of their kinds.
func (n notices) list() []route.Notice {
	list := make([]route.Notice, 0, len(n))
	for _, one := range n {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b route.Notice) int { return cmp.Compare(a.Kind, b.Kind) })
	return list
}

// notice notes that a limit was hit, or that a fault was seen, so many times more.
// The notice stays until it is withdrawn.
// It reports whether the notice is new.
func (n *neighbor) notice(kind route.NoticeKind, text string, times uint64, at time.Time) (fresh bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	one, known := n.notices[kind]
	if !known {
		one = route.Notice{Kind: kind, Since: at}
	}
	one.Last, one.Text = at, text
	one.Count += times
	if n.notices == nil {
		n.notices = make(notices)
	}
	n.notices[kind] = one
	if !known {
		n.changed.Ring()
	}
	return !known
}

// withdrawNotice takes back a notice whose reason is gone.
func (n *neighbor) withdrawNotice(kind route.NoticeKind) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.notices[kind]; known {
		delete(n.notices, kind)
		n.changed.Ring()
	}
}
