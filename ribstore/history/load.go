package history

import (
	"ribglass/ribstore/history/check"
)

// loadIndex reads the index. What is damaged is left out: the numbers of what is
// there, and the end that was written last, tell that something is missing.
func (h *History) loadIndex() error {
	l, err := check.TakeInventory(&h.source)
	if err != nil {
		return err
	}
	for _, err := range l.Damage {
		h.deps.Logger.Error("a part of the history is damaged and passed over", "error", err)
	}
	x, j := &index{l.Contents}, h.journal
	j.names = l.Names
	for i, name := range l.Names {
		if name != "" {
			j.peers[name] = uint32(i)
		}
	}
	j.next = x.Next
	if n := len(x.Runs); n > 0 {
		j.now = x.Runs[n-1]
		j.last = x.LastOf(j.now.ID)
	}
	h.index.Store(x)
	return nil
}
