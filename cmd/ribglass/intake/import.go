package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Import imports files into a collection. What it makes is put into the place of
// the collection when it is complete; until then nothing of it changes.
type Import struct {
	DataDir    string
	Collection string
	Files      []string
	Logger     *slog.Logger
	Errors     int  // of each file that are told of; zero: 20
	Strict     bool // nothing is imported when something is passed over
	Replace    bool // the files take the place of what the collection has

	// Progress, when set, is called now and then.
	Progress func(Progress)
}

// Progress tells how far an import is.
type Progress struct {
	Doing       string // "importing", "merging", …
	File        string
	Done, Total int64 // octets of the files
	Changes     int   // recorded
	At          time.Time
}

// Summary tells what was imported.
type Summary struct {
	Path      string // of the collection
	Began     time.Time
	Ends      time.Time
	Changes   int
	Late      int // changes whose time was before others already recorded, or out of this world
	Snapshots int
	Routes    int // at the end
	Peers     int
	Bytes     int64 // of the file
	Reports   []Report
}

// Lost returns how many things of all files could not be read, and PassedOver how
// many were passed over, as [Report] tells them apart.
func (s *Summary) Lost() (n int) {
	for i := range s.Reports {
		n += s.Reports[i].Lost()
	}
	return n
}

// PassedOver is explained at Lost.
func (s *Summary) PassedOver() (n int) {
	for i := range s.Reports {
		n += s.Reports[i].PassedOver()
	}
	return n
}

// A NoRoutesError says that there is nothing to import, and why.
type NoRoutesError struct{ Reports []Report }

// Error returns the reason for each file, of the first of them.
func (e *NoRoutesError) Error() string {
	const most = 3
	var b strings.Builder
	b.WriteString("the files have no routes")
	for i := range e.Reports {
		if i == most {
			fmt.Fprintf(&b, "; and %d files more", len(e.Reports)-most)
			break
		}
		fmt.Fprintf(&b, "; %s: %s", e.Reports[i].Path, e.Reports[i].nothing())
	}
	return b.String()
}

// nothing says why a file has no routes.
func (r *Report) nothing() string {
	switch {
	case r.Foreign != nil:
		return r.Foreign.Error()
	case len(r.Errors) > 0:
		return r.Errors[0].Error()
	case r.Records == 0:
		return "it is empty"
	}
	return fmt.Sprintf("%d records, none of which announces or withdraws a route", r.Records)
}

// A StrictError says what a strict import had to pass over.
type StrictError struct{ Summary *Summary }

// Error returns how much that is.
func (e *StrictError) Error() string {
	return fmt.Sprintf("%d things had to be passed over: nothing is imported", e.Summary.PassedOver())
}

// Bounds of what waits to be written, and of how far apart snapshots are.
const (
	flushOctets   = 8 << 20
	flushChanges  = 100_000
	snapshotLeast = 100_000 // changes from one snapshot to the next: twice as many as there are routes, within these
	snapshotMost  = 2_000_000
	progressEvery = 1 << 9 // batches
)

// importer is one import under way.
type importer struct {
	*Import

	stream   *Stream
	history  *history.History
	table    *table.Table
	clock    time.Time              // of the history: the latest time of a record that was imported
	sessions map[string]*route.Peer // that the collection ended with, until they say something
	up       map[string]*route.Peer // that are up
	merges   bool                   // the collection is merged with the files, not copied
	loading  bool                   // a table, where nothing is recorded yet
	ended    bool                   // the batch before ended a table
	more     bool                   // the table has work to do

	tabular, changed bool // since the last snapshot: a table was read, or anything
	octets, changes  int  // recorded since the last flush
	since            int  // changes since the last snapshot
	batches          int
	summary          Summary
}

// Run imports. When it fails, or its context ends, the collection is as it was.
func (i *Import) Run(ctx context.Context) (sum *Summary, err error) {
	path, err := ribstore.CollectionPath(i.DataDir, i.Collection)
	if err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	m := &importer{Import: i}
	m.stream, err = Open(ctx, i.Files, mrt.SourceOptions{Peers: mrt.NewPeers(i.Collection), ReplacesTable: true, Errors: i.Errors})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.stream.Close()) }()
	if m.stream.Begins().IsZero() {
		return nil, &NoRoutesError{m.stream.Reports()}
	}
	if err := m.mergeInto(path); err != nil {
		return nil, err
	}
	temporary := path + ".importing"
	defer func() { _ = os.Remove(temporary) }() // when it is complete it has another name
	if err := m.prepare(ctx, path, temporary); err != nil {
		return nil, err
	}
	err = m.run(ctx)
	if err := errors.Join(err, m.history.Close()); err != nil {
		return nil, err
	}
	m.summary.Path, m.summary.Reports = path, m.stream.Reports()
	if i.Strict && m.summary.PassedOver() > 0 {
		return nil, &StrictError{&m.summary}
	}
	// A server reads the list when the collection is there.
	if i.Replace {
		if err := removeIfThere(ribstore.SourcesPath(path)); err != nil {
			return nil, err
		}
	}
	if err := noteSources(path, i.DataDir, m.summary.Reports); err != nil {
		return nil, err
	}
	return &m.summary, publish(temporary, path, i.DataDir)
}

// lock makes sure that no other import writes to the directory, which is made
// when it is not there.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: another import is under way: %w", dir, err), d.Close())
	}
	return func() { _ = d.Close() }, nil
}

// mergeInto has the collection read as one of the files, when there is one and some of
// the files begin before its end: a history is only written at its end.
func (m *importer) mergeInto(path string) error {
	if m.Replace {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	h, err := history.OpenReadOnly(path, history.Deps{Logger: m.Logger, Now: time.Now})
	if err != nil {
		return fmt.Errorf("collection %s: %w", m.Collection, err)
	}
	stats := h.Stats()
	// Files are cut at whole seconds.
	if stats.Ends.IsZero() || !m.stream.Begins().Before(stats.Ends.Truncate(time.Second)) {
		return h.Close()
	}
	m.merges = true
	m.stream.merge(h)
	return nil
}

// prepare opens the file that is imported into: a copy of the collection, when
// there is a collection that ends before.
func (m *importer) prepare(ctx context.Context, path, temporary string) error {
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !m.merges && !m.Replace {
		if err := copyFile(path, temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("copy the collection: %w", err)
		}
	}
	m.clock = m.stream.Begins()
	var err error
	m.history, err = history.Open(temporary, history.DefaultConfig(), history.Deps{
		Logger: m.Logger, Now: func() time.Time { return m.clock },
	})
	if err != nil {
		return fmt.Errorf("collection %s: %w", m.Collection, err)
	}
	var fresh bool
	if m.table, fresh, err = m.history.Continue(ctx); err != nil {
		return errors.Join(fmt.Errorf("collection %s: %w", m.Collection, err), m.history.Close())
	}
	if m.loading = fresh && m.stream.BeginsWithTable(); fresh && !m.loading {
		m.history.Begin(m.clock, false)
	}
	m.goOn()
	return nil
}

// goOn takes over the sessions that the collection ended with: they are still up.
func (m *importer) goOn() {
	m.sessions, m.up = make(map[string]*route.Peer), make(map[string]*route.Peer)
	for _, s := range m.table.State() {
		if s.Up {
			m.sessions[s.Peer.Name], m.up[s.Peer.Name] = s.Peer, s.Peer
		}
	}
}

// note keeps which sessions are up.
func (m *importer) note(b *mrt.Batch) {
	switch b.Event {
	case route.PeerUp:
		m.up[b.Peer.Name] = b.Peer
	case route.PeerDown, route.PeerRemoved:
		delete(m.up, b.Peer.Name)
	case route.Routes, route.EndOfRIB, route.RefreshBegin, route.RefreshEnd, route.PeerChanged:
	}
}

func (m *importer) run(ctx context.Context) error {
	m.summary.Began = m.clock
	for {
		b, err := m.stream.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := m.take(ctx, b); err != nil {
			return err
		}
	}
	if m.changed {
		m.tell("taking the last snapshot")
		if err := m.snapshot(ctx); err != nil {
			return err
		}
	}
	m.tell("putting changes in order")
	if err := m.history.Merge(ctx); err != nil {
		return err
	}
	m.sum()
	return nil
}

// take records one batch.
func (m *importer) take(ctx context.Context, b *mrt.Batch) error {
	defer b.Release()
	if m.batches++; m.batches%progressEvery == 0 {
		m.tell("importing")
	}
	if m.isKnown(b) {
		return m.endOfFile(ctx)
	}
	// At the time of the table, not of what follows it, which may be another table.
	if m.loading && m.isBehindTable(b) {
		if err := m.snapshot(ctx); err != nil {
			return err
		}
	}
	m.note(b)
	m.ended = b.Event == route.RefreshEnd
	m.tabular = m.tabular || b.Event == route.RefreshBegin
	if m.changed = true; b.At.After(m.clock) {
		m.clock = b.At
	}
	if !m.loading {
		m.history.RecordAt(&b.Batch, m.clock)
	}
	m.table.Apply(&b.Batch)
	if m.more || b.Event != route.Routes {
		m.more = m.table.Work()
	}
	if err := m.count(b); err != nil {
		return err
	}
	return m.endOfFile(ctx)
}

// count counts what a batch has, and writes what was recorded when that is much.
func (m *importer) count(b *mrt.Batch) error {
	for i := range b.Updates {
		u := &b.Updates[i]
		m.changes += len(u.NLRI)
		m.octets += len(u.Attrs) + 32*len(u.NLRI)
	}
	if m.octets >= flushOctets || m.changes >= flushChanges {
		return m.flush()
	}
	return nil
}

// isBehindTable reports whether a batch is behind the table that is being read: not of
// a table, or of the next one.
func (m *importer) isBehindTable(b *mrt.Batch) bool {
	return !isOfTable(b) || m.ended && (b.Event == route.PeerUp || b.Event == route.RefreshBegin)
}

// isOfTable reports whether a batch may be of a table.
func isOfTable(b *mrt.Batch) bool {
	switch b.Event {
	case route.PeerUp, route.RefreshBegin, route.RefreshEnd:
		return true
	case route.Routes:
		return b.Received != nil
	case route.PeerDown, route.PeerRemoved, route.EndOfRIB, route.PeerChanged:
	}
	return false
}

// isKnown reports whether a batch says that a session came up of which the
// collection knows that it is, or that is known to be from another file.
func (m *importer) isKnown(b *mrt.Batch) bool {
	known := m.sessions[b.Peer.Name]
	delete(m.sessions, b.Peer.Name)
	if b.Assumed {
		known = m.up[b.Peer.Name]
	}
	return known != nil && b.Event == route.PeerUp &&
		known.Address == b.Peer.Address && known.ASN == b.Peer.ASN && known.AddPath == b.Peer.AddPath
}

func (m *importer) flush() error {
	m.summary.Changes += m.changes
	m.since += m.changes
	m.changes, m.octets, m.more = 0, 0, true
	if m.loading {
		return nil
	}
	return m.history.Flush()
}

// endOfFile takes a snapshot where a table ended, so that it is read at once, and
// where many changes came since the last one.
func (m *importer) endOfFile(ctx context.Context) error {
	if m.tabular && m.stream.Ended() || !m.loading && m.since >= snapshotLeast && m.since >= min(snapshotMost, 2*m.routes()) {
		return m.snapshot(ctx)
	}
	return nil
}

// routes returns how many routes there are.
func (m *importer) routes() (n int) {
	for _, of := range m.table.Counts().Routes {
		n += of
	}
	return n
}

// snapshot takes a snapshot. A table that was loaded before is where recording
// begins: the snapshot has all of it, so its routes need not be changes too.
func (m *importer) snapshot(ctx context.Context) error {
	if m.loading {
		m.history.Begin(m.clock, true)
		m.loading = false
	}
	if err := m.flush(); err != nil {
		return err
	}
	for m.table.Work() {
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	m.since, m.tabular, m.changed = 0, false, false
	_, err := m.history.Snapshot(ctx, history.TableWriter{Table: m.table, Do: func(_ context.Context, f func()) error { f(); return nil }})
	return err
}

func (m *importer) tell(doing string) {
	if m.Progress == nil {
		return
	}
	done, total := m.stream.Consumed()
	m.Progress(Progress{
		Doing: doing, File: m.stream.Path(), Done: done, Total: total, Changes: m.summary.Changes + m.changes, At: m.clock,
	})
}

func (m *importer) sum() {
	st := m.history.Stats()
	m.summary.Late, m.summary.Routes, m.summary.Peers = m.stream.Late(), m.routes(), m.table.Counts().Peers
	m.summary.Ends, m.summary.Snapshots, m.summary.Bytes = st.Ends, st.Snapshots, st.FileBytes
}
