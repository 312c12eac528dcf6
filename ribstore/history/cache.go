package history

import (
	"slices"
	"sync"

	"ribglass/ribstore/history/format"
)

// manifestCache keeps the manifests that were used last, since many questions about
// one time need the same manifest.
type manifestCache struct {
	mu   sync.Mutex
	kept []*format.Manifest // the last used first
}

const manifestsKept = 8

func (c *manifestCache) get(s *format.Snapshot) *format.Manifest {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.kept, func(m *format.Manifest) bool { return m.Snapshot == *s })
	if i < 0 {
		return nil
	}
	m := c.kept[i]
	c.kept = slices.Insert(slices.Delete(c.kept, i, i+1), 0, m)
	return m
}

func (c *manifestCache) put(m *format.Manifest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = slices.Insert(c.kept, 0, m)
	c.kept = c.kept[:min(len(c.kept), manifestsKept)]
}

// manifest returns the manifest of a snapshot, which nobody may change.
func (h *History) manifest(s *format.Snapshot) (*format.Manifest, error) {
	if m := h.manifests.get(s); m != nil {
		return m, nil
	}
	m, err := h.source.Manifest(s)
	if err != nil {
		return nil, err
	}
	h.manifests.put(m)
	return m, nil
}
