package history

import (
	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
)

// remember begins the tail of a snapshot with the prefixes that were announced last
// in malformed messages: a snapshot has routes only, and these have none. Each goes
// by its own time, which is behind the next one when the clock was set back meanwhile.
// What comes after in the tail decides, as for routes.
func (j *journal) remember(tail *format.GroupWriter, refused []route.Refused) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range refused {
		r := &refused[i]
		b := route.Batch{Updates: []route.Update{{
			Family: r.Family, Attrs: route.AppendFault(nil, r.Fault), NLRI: []route.NLRI{r.NLRI},
		}}}
		tail.Batch(j.number(r.Peer.Name), &b, format.When{At: r.At.UnixMilli()})
	}
}
