package history

import (
	"context"
	"sync"

	"ribglass/ribstore/history/format"
)

// groupsAhead reads the groups of a replay, in order, while those before them are
// applied to a table: half of what a replay of a load takes is reading it.
type groupsAhead struct {
	groups chan readGroup
	free   chan *format.GroupReader
	stop   func()
}

// readGroup is a group that was read. Its reader is to be given back.
type readGroup struct {
	records []format.Record // none when the group has nothing of the scope
	reader  *format.GroupReader
	err     error
}

// maxAhead is how many groups are in memory: what is applied, and what is read.
const maxAhead = 3

// readAhead begins to read the groups among pieces. Nothing is read after stop.
func (r *replayer) readAhead(ctx context.Context, pieces []format.Piece) *groupsAhead {
	ctx, cancel := context.WithCancel(ctx)
	a := &groupsAhead{groups: make(chan readGroup, maxAhead+1), free: make(chan *format.GroupReader, maxAhead)}
	for range maxAhead {
		a.free <- new(format.GroupReader)
	}
	var reading sync.WaitGroup
	a.stop = func() {
		cancel()
		reading.Wait()
	}
	reading.Go(func() {
		for i := range pieces {
			if !pieces[i].IsGroup() {
				continue
			}
			select {
			case d := <-a.free:
				a.groups <- r.readGroup(d, &pieces[i]) // has room for all readers, and an error
			case <-ctx.Done():
				a.groups <- readGroup{err: ctx.Err()}
				return
			}
		}
	})
	return a
}

func (r *replayer) readGroup(d *format.GroupReader, p *format.Piece) readGroup {
	g := readGroup{reader: d}
	touches, err := r.history.source.Touches(p, r.within)
	if err == nil && touches {
		g.records, err = r.history.source.Records(d, p)
	}
	g.err = err
	return g
}
