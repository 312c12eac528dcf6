package v1

import (
	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
)

func history(q *asked) (any, error) { return FullHistoryOf(q.reader) }

// HistoryOf describes what is kept of the past, without a list of snapshots.
func HistoryOf(kept ask.Kept) answer.History {
	return answer.History{
		Begins: kept.Begins.UTC(), Ends: kept.Ends.UTC(), Recording: kept.Trouble == "" && !kept.ReadOnly,
		LastSnapshot: kept.LastSnapshot.UTC(), SnapshotCount: kept.Snapshots,
		FileBytes: kept.FileBytes, FreeBytes: kept.FreeBytes, MaxBytes: kept.MaxBytes, PendingBytes: kept.PendingBytes,
	}
}

// FullHistoryOf describes what is kept of the past, with its snapshots. The error
// is a problem when nothing is kept.
func FullHistoryOf(r *ask.Reader) (answer.History, error) {
	kept, err := r.History()
	if err != nil {
		return answer.History{}, err
	}
	h := HistoryOf(kept)
	for _, one := range r.Snapshots() {
		h.Snapshots = append(h.Snapshots, SnapshotOf(one))
	}
	return h, nil
}

// SnapshotOf describes a snapshot.
func SnapshotOf(s ask.Snapshot) answer.Snapshot {
	return answer.Snapshot{At: s.At.UTC(), Routes: s.Routes, Chunks: s.Chunks, Bytes: s.Bytes, Took: s.Took.Seconds()}
}

func collections(q *asked) (any, error) {
	list, err := q.reader.Collections(q.Context())
	if err != nil {
		return nil, err
	}
	all := answer.Collections{Collections: []answer.Collection{}}
	for _, one := range list {
		all.Collections = append(all.Collections, collectionOf(one))
	}
	return all, nil
}

func collectionOf(c ask.CollectionInfo) answer.Collection {
	if c.Broken {
		return answer.Collection{Name: c.Name, Broken: true, Reason: c.Reason}
	}
	return answer.Collection{Name: c.Name, Begins: c.Kept.Begins.UTC(), Ends: c.Kept.Ends.UTC(), FileBytes: c.Kept.FileBytes}
}
