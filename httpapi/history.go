package httpapi

import (
	"fmt"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore"
	"ribglass/ribstore/history"
)

// historyAnswer is the answer of GET /api/v1/history, and without the list of
// snapshots a part of the status. Where the file lies and why it cannot be
// written are the operator's business.
type historyAnswer struct {
	Begins        time.Time        `json:"begins,omitzero"`
	Ends          time.Time        `json:"ends,omitzero"`
	Recording     bool             `json:"recording"`
	LastSnapshot  time.Time        `json:"last_snapshot,omitzero"`
	SnapshotCount int              `json:"snapshot_count"`
	FileBytes     int64            `json:"file_bytes"`
	FreeBytes     int64            `json:"free_bytes"`
	MaxBytes      int64            `json:"max_bytes,omitempty"`
	PendingBytes  int64            `json:"pending_bytes"`
	Snapshots     []snapshotAnswer `json:"snapshots,omitempty"`
}

// snapshotAnswer describes a snapshot. What is known of it only when it is taken
// is left out later.
type snapshotAnswer struct {
	At     time.Time `json:"at"`
	Routes int       `json:"routes,omitempty"`
	Chunks int       `json:"chunks,omitempty"`
	Bytes  int64     `json:"bytes,omitempty"`
	Took   float64   `json:"took_seconds,omitempty"`
}

func snapshotAnswerOf(i history.SnapshotInfo) snapshotAnswer {
	return snapshotAnswer{i.At.UTC(), i.Routes, i.Chunks, i.Bytes, i.Took.Seconds()}
}

func historyAnswerOf(st history.Stats) historyAnswer {
	return historyAnswer{
		Begins: st.Begins.UTC(), Ends: st.Ends.UTC(), Recording: st.Trouble == "" && !st.ReadOnly,
		LastSnapshot: st.LastSnapshot.UTC(), SnapshotCount: st.Snapshots,
		FileBytes: st.FileBytes, FreeBytes: st.FreeBytes, MaxBytes: st.MaxBytes, PendingBytes: st.PendingBytes,
	}
}

// history answers GET /api/v1/history.
func (s *Server) history(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	if s.deps.History == nil {
		return ribstore.ErrNoHistory
	}
	answer := historyAnswerOf(s.deps.History.Stats())
	for _, one := range s.snapshots() {
		answer.Snapshots = append(answer.Snapshots, snapshotAnswerOf(one))
	}
	return s.sendJSON(c, answer)
}

// maxSnapshots bounds the list of snapshots: the newest are shown.
const maxSnapshots = 5000

func (s *Server) snapshots() []history.SnapshotInfo {
	if s.deps.Snapshots == nil {
		return nil
	}
	list := s.deps.Snapshots()
	return list[max(0, len(list)-maxSnapshots):]
}

// collectionsAnswer is the answer of GET /api/v1/collections.
type collectionsAnswer struct {
	Collections []collectionAnswer `json:"collections"`
}

type collectionAnswer struct {
	Name      string    `json:"name"`
	Begins    time.Time `json:"begins,omitzero"`
	Ends      time.Time `json:"ends,omitzero"`
	FileBytes int64     `json:"file_bytes,omitempty"`
	Broken    bool      `json:"broken,omitempty"` // it cannot be opened; the log says why
}

// collections answers GET /api/v1/collections.
func (s *Server) collections(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	list, err := s.listCollections(c)
	if err != nil {
		return err
	}
	return s.sendJSON(c, collectionsAnswer{list})
}

// maxCollections bounds how many collections are opened to be listed.
const maxCollections = 1000

func (s *Server) listCollections(c *gin.Context) ([]collectionAnswer, error) {
	list := []collectionAnswer{}
	if s.deps.Collections == nil {
		return list, nil
	}
	names, err := s.deps.Collections.List()
	if err != nil {
		return nil, fmt.Errorf("list collections: %w", err)
	}
	for _, name := range names[:min(len(names), maxCollections)] {
		one := collectionAnswer{Name: name}
		archive, err := s.deps.Collections.Get(name)
		if err != nil {
			s.log.WarnContext(c.Request.Context(), "collection cannot be opened", "collection", name, "error", err)
			one.Broken = true
		} else {
			st := archive.Stats()
			one.Begins, one.Ends, one.FileBytes = st.Begins.UTC(), st.Ends.UTC(), st.FileBytes
		}
		list = append(list, one)
	}
	return list, nil
}
