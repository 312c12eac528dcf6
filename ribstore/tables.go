package ribstore

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
)

// tables keeps the whole tables of the past that were asked for last. Each is as
// large as the live one, so there are few, and one that is being made is waited
// for instead of made twice.
type tables struct {
	most   int
	memory *Memory // when it is short, no table is kept

	mu   sync.Mutex
	kept []*keptTable // the last used first
}

type keptTable struct {
	at    time.Time
	ready chan struct{} // closed when past and err are there
	past  *history.Past
	err   error
}

// get returns the table of a moment, made by load when there is none.
func (c *tables) get(ctx context.Context, at time.Time, load func(context.Context) (*history.Past, error)) (*history.Past, error) {
	for {
		k, mine := c.find(at)
		if mine {
			k.past, k.err = load(ctx)
			if k.err != nil || c.memory.Strain() >= Warned {
				c.forget(k)
			}
			close(k.ready)
			return k.past, k.err
		}
		select {
		case <-k.ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if k.err == nil {
			return k.past, nil
		}
		// Whoever made it gave up; it may have been in a hurry.
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// find returns the table of a moment, and whether it is for the caller to make.
func (c *tables) find(at time.Time) (k *keptTable, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.kept, func(k *keptTable) bool { return k.at.Equal(at) })
	if i >= 0 {
		k = c.kept[i]
		c.kept = slices.Insert(slices.Delete(c.kept, i, i+1), 0, k)
		return k, false
	}
	k = &keptTable{at: at, ready: make(chan struct{})}
	c.kept = slices.Insert(c.kept, 0, k)
	c.kept = c.kept[:min(len(c.kept), c.most)]
	return k, true
}

// peek returns the table of a moment when it is there.
func (c *tables) peek(at time.Time) *history.Past {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.kept {
		if k.at.Equal(at) {
			select {
			case <-k.ready:
				return k.past
			default:
				return nil
			}
		}
	}
	return nil
}

// drop forgets all tables. Whoever waits for a table that is being made still gets
// it.
func (c *tables) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = nil
}

func (c *tables) forget(k *keptTable) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = slices.DeleteFunc(c.kept, func(other *keptTable) bool { return other == k })
}

func compareNames(a, b *route.Peer) int { return strings.Compare(a.Name, b.Name) }
