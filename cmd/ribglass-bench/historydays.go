package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	rib "ribglass/ribstore/table"
)

// recordedDays is what some days of churn leave on the disk.
type recordedDays struct {
	Days      float64       `json:"days"`
	Feeds     int           `json:"feeds"`
	Routes    int           `json:"routes"`
	Sets      int           `json:"attribute_sets"`
	Changes   int           `json:"changes"`    // churn, resets, peak; not the first load
	PerSecond float64       `json:"per_second"` // recorded, applied, written and merged
	Wall      time.Duration `json:"wall_ns"`

	Gzip     int64         `json:"gzip_mrt_bytes"` // the first table as MRT
	First    int64         `json:"first_snapshot_bytes"`
	FirstCPU time.Duration `json:"first_snapshot_cpu_ns"`

	Snapshots int           `json:"snapshots"`
	Median    int64         `json:"further_snapshot_median_bytes"`
	Largest   int64         `json:"further_snapshot_largest_bytes"`
	Written   int64         `json:"snapshots_bytes"` // all of them but the first
	MedianCPU time.Duration `json:"further_snapshot_median_cpu_ns"`

	Journal int64 `json:"journal_bytes"`       // of the changes, as stored
	Grown   int64 `json:"journal_grown_bytes"` // what the file grew by them: with the pages' slack
	File    int64 `json:"file_bytes"`
	Free    int64 `json:"file_free_bytes"`
}

func (d *recordedDays) perChange() float64 { return float64(d.Journal) / float64(max(1, d.Changes)) }

// Of the days part: one session ends and comes back, and one network fails.
const (
	resetAfter  = 0.35 // of the time
	resetPause  = 90 * time.Second
	loadRate    = 200_000 // routes a second, of a session that comes up
	peakAfter   = 0.65
	peakChanges = 200_000
	peakSeconds = 60
	keepStale   = 5 * time.Minute
)

// recorder is a table and its history that live by a clock of their own.
type recorder struct {
	now     time.Time
	table   *rib.Table
	history *history.History
	writer  *ribstore.Recorder // records nothing until the first load is done: the journal is to hold the days alone
	peers   []*route.Peer
	batch   route.Batch

	changes int
	pending int // since the last flush
	flushed time.Time
	every   time.Duration
	merges  int
}

// quietLogger keeps warnings and worse.
func quietLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func newRecorder(o *historyOptions, path string, feeds []feed, log io.Writer) (*recorder, error) {
	r := &recorder{now: dayZero(), every: o.flush}
	config := history.DefaultConfig()
	config.MaxSize = 1 << 40 // what is kept is measured, not bounded
	var err error
	r.history, err = history.Open(path, config, history.Deps{Logger: quietLogger(log), Now: func() time.Time { return r.now }})
	if err != nil {
		return nil, err
	}
	r.table = rib.New()
	r.writer = ribstore.NewRecorder(r.table, nil)
	for _, f := range feeds {
		r.peers = append(r.peers, peerOf(f))
	}
	return r, nil
}

// dayZero is when the clock of the days begins.
func dayZero() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// peerOf is a feed as the collector describes it.
func peerOf(f feed) *route.Peer {
	return &route.Peer{Name: f.name, Router: f.name, Address: f.source, ASN: f.asn, LocalASN: localASN, RouterID: routerID(f.source)}
}

func (r *recorder) apply(b *route.Batch) error {
	b.At = r.now
	r.writer.Apply(b)
	for i := range b.Updates {
		n := len(b.Updates[i].NLRI)
		r.changes += n
		r.pending += n
	}
	const group = 10_000 // as History.Run writes at the latest
	if r.pending < group {
		return nil
	}
	return r.flush()
}

func (r *recorder) flush() error {
	r.pending, r.flushed = 0, r.now
	return r.history.Flush()
}

func (r *recorder) update(peer int, updates ...route.Update) error {
	r.batch = route.Batch{Peer: r.peers[peer], Event: route.Routes, Updates: updates}
	return r.apply(&r.batch)
}

func (r *recorder) event(peer int, e route.Event, f route.Family) error {
	b := route.Batch{Peer: r.peers[peer], Event: e, Family: f, Reason: "reset"}
	for i := range b.Retention {
		b.Retention[i].Stale = keepStale
	}
	return r.apply(&b)
}

// load is a session that comes up and sends everything.
func (r *recorder) load(peer int, k *announced) error {
	if err := r.event(peer, route.PeerUp, 0); err != nil {
		return err
	}
	const together = 32 // runs in one batch
	sent := 0
	for chunk := range slices.Chunk(k.runs, together) {
		if err := r.update(peer, chunk...); err != nil {
			return err
		}
		for i := range chunk {
			sent += len(chunk[i].NLRI)
		}
		for ; sent >= loadRate/1000; sent -= loadRate / 1000 {
			r.now = r.now.Add(time.Millisecond)
		}
	}
	for _, f := range []route.Family{route.IPv4Unicast, route.IPv6Unicast} {
		if err := r.event(peer, route.EndOfRIB, f); err != nil {
			return err
		}
	}
	return r.flush()
}

// tick is what store and history do in the background once a second.
func (r *recorder) tick(ctx context.Context) error {
	r.writer.Expire(r.now)
	for range 1000 {
		if !r.table.Work() {
			break
		}
	}
	if r.now.Sub(r.flushed) >= r.every {
		if err := r.flush(); err != nil {
			return err
		}
	}
	const often = 16 // flushes; a merge needs more
	if r.merges++; r.merges%often != 0 {
		return nil
	}
	return r.history.Merge(ctx)
}

// used returns the octets of the file that hold something.
func (r *recorder) used() int64 {
	s := r.history.Stats()
	return s.FileBytes - s.FreeBytes
}

// journalled returns the octets of journal in the file.
func (r *recorder) journalled(ctx context.Context) (int64, error) {
	report, err := r.history.Verify(ctx, nil)
	if err != nil {
		return 0, err
	}
	if len(report.Problems) > 0 {
		return 0, fmt.Errorf("verify: %v", report.Problems[0])
	}
	n := report.Blocks.Bytes
	for _, level := range report.Journal {
		n += level.Bytes
	}
	return n, nil
}

// days are the measurement under way.
type days struct {
	*recorder
	options  *historyOptions
	known    []*announced
	models   []*unrest
	progress io.Writer
	result   *recordedDays

	end      time.Time
	reset    time.Time // zero: done
	back     time.Time // the session comes back; zero: it is up
	peak     time.Time
	rush     [][]route.Update // by second
	added    []int64
	took     []time.Duration
	snapshot time.Time
	started  time.Time
	told     time.Time
	before   int64
}

func (o *options) measureDays(ctx context.Context, t table, known []*announced, dir string, h *pasts, progress io.Writer) error {
	fmt.Fprintln(progress, "history: days")
	path := filepath.Join(dir, "days.db")
	r, err := newRecorder(&o.past, path, t.feeds(), progress)
	if err != nil {
		return err
	}
	defer func() { _ = r.history.Close() }()
	d := &days{recorder: r, options: &o.past, known: known, progress: progress, result: &recordedDays{Days: o.past.days, Feeds: len(known)}}
	h.Days = d.result
	for i := range known {
		d.models = append(d.models, newUnrest(known[i], o.shape.seed, i, o.past.rate))
	}
	if err := d.begin(ctx); err != nil {
		return err
	}
	if err := d.run(ctx); err != nil {
		return err
	}
	if err := d.finish(ctx); err != nil {
		return err
	}
	if h.Answers, err = d.asking(t, path).measure(ctx); err != nil {
		return err
	}
	h.Year, err = d.year(ctx, path)
	return err
}

// begin loads all feeds and takes the first snapshot.
func (d *days) begin(ctx context.Context) error {
	for i := range d.known {
		if err := d.load(i, d.known[i]); err != nil {
			return err
		}
		d.now = d.now.Add(5 * time.Second)
		if err := d.tick(ctx); err != nil {
			return err
		}
	}
	d.history.Begin(d.now, true)
	d.writer = ribstore.NewRecorder(d.table, d.history)
	counts := d.table.Counts()
	d.result.Routes, d.result.Sets = total(counts.Routes), counts.AttributeSets
	size, err := gzippedMRT(ctx, d.table, d.now)
	if err != nil {
		return err
	}
	d.result.Gzip = size
	before := selfCPU()
	info, err := d.writer.Snapshot(ctx)
	if err != nil {
		return err
	}
	d.result.First, d.result.FirstCPU = info.Bytes, selfCPU()-before
	fmt.Fprintf(d.progress, "  %d routes, %d sets; as MRT by gzip %s, first snapshot %s (%.1f %%) in %.2f s of processor time\n",
		d.result.Routes, d.result.Sets, megabytes(uint64(size)), megabytes(uint64(info.Bytes)), 100*float64(info.Bytes)/float64(size), d.result.FirstCPU.Seconds())
	return nil
}

// run lets the days pass.
func (d *days) run(ctx context.Context) error {
	length := time.Duration(d.options.days * float64(24*time.Hour))
	d.now = d.now.Truncate(time.Second).Add(time.Second)
	d.end = d.now.Add(length)
	d.reset = d.now.Add(time.Duration(resetAfter * float64(length)))
	d.peak = d.now.Add(time.Duration(peakAfter * float64(length)))
	d.snapshot = d.now.Truncate(d.options.every).Add(d.options.every)
	d.started, d.told, d.before = time.Now(), time.Now(), d.used()
	d.changes = 0
	for d.now.Before(d.end) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.pass(ctx); err != nil {
			return err
		}
		d.tell()
	}
	d.result.Wall, d.result.Changes = time.Since(d.started), d.changes
	return nil
}

// pass is one second.
func (d *days) pass(ctx context.Context) error {
	second := d.now
	if err := d.incidents(second); err != nil {
		return err
	}
	if err := d.churn(second); err != nil {
		return err
	}
	// A batch may have come late: the clock does not go back.
	if next := second.Add(time.Second); d.now.Before(next) {
		d.now = next
	}
	if err := d.tick(ctx); err != nil {
		return err
	}
	if d.now.Before(d.snapshot) {
		return nil
	}
	d.snapshot = d.snapshot.Add(d.options.every)
	before := selfCPU()
	info, err := d.writer.Snapshot(ctx)
	if err != nil {
		return err
	}
	d.added, d.took = append(d.added, info.Bytes), append(d.took, selfCPU()-before)
	return d.history.Prune(ctx)
}

// churn plays one second of all feeds in order of time.
func (d *days) churn(second time.Time) error {
	moves := make([][]move, len(d.models))
	for i, m := range d.models {
		if moves[i] = m.next(); i == 0 && !d.back.IsZero() {
			moves[i] = nil // its session is down
		}
	}
	for {
		first := -1
		for i := range moves {
			if len(moves[i]) > 0 && (first < 0 || moves[i][0].at < moves[first][0].at) {
				first = i
			}
		}
		if first < 0 {
			return nil
		}
		m := &moves[first][0]
		if at := second.Add(time.Duration(m.at) * time.Millisecond); d.now.Before(at) {
			d.now = at
		}
		if err := d.update(first, m.update); err != nil {
			return err
		}
		moves[first] = moves[first][1:]
	}
}

// incidents are the reset of a session and the failure of a network.
func (d *days) incidents(second time.Time) error {
	switch {
	case !d.reset.IsZero() && !second.Before(d.reset):
		d.reset, d.back = time.Time{}, second.Add(resetPause)
		return d.event(0, route.PeerDown, 0)
	case !d.back.IsZero() && !second.Before(d.back):
		d.back = time.Time{}
		d.models[0].restart()
		return d.load(0, d.known[0])
	case !d.peak.IsZero() && !second.Before(d.peak):
		d.peak = time.Time{}
		d.plan()
	}
	if len(d.rush) == 0 {
		return nil
	}
	now := d.rush[0]
	d.rush = d.rush[1:]
	return d.update(len(d.known)-1, now...)
}

// plan spreads the failure of a network over a minute: in its first half all
// routes go another way, in its second they come back.
func (d *days) plan() {
	last := len(d.known) - 1
	away, back := d.known[last].outage(newRandom(0), min(peakChanges/2, d.known[last].prefixes()))
	for _, half := range [][]route.Update{away, back} {
		size := len(half)/(peakSeconds/2) + 1
		for chunk := range slices.Chunk(half, size) {
			d.rush = append(d.rush, chunk)
		}
	}
}

func (d *days) tell() {
	if time.Since(d.told) < 10*time.Second {
		return
	}
	d.told = time.Now()
	left := d.end.Sub(d.now)
	passed := time.Since(d.started)
	fmt.Fprintf(d.progress, "  %.2f of %.2f days, %.1fM changes, %.0f/s, file %s, about %v left\n",
		d.options.days-left.Hours()/24, d.options.days, float64(d.changes)/1e6, float64(d.changes)/passed.Seconds(),
		megabytes(uint64(d.history.Stats().FileBytes)),
		time.Duration(float64(passed)*left.Hours()/(24*d.options.days-left.Hours())).Round(time.Second))
}

// finish sums up.
func (d *days) finish(ctx context.Context) error {
	if err := d.flush(); err != nil {
		return err
	}
	if err := d.history.Merge(ctx); err != nil {
		return err
	}
	r := d.result
	r.Snapshots = len(d.added)
	for _, n := range d.added {
		r.Written += n
	}
	var cpu time.Duration
	for _, t := range d.took {
		cpu += t
	}
	r.PerSecond = float64(r.Changes) / max(1e-9, (r.Wall-cpu).Seconds())
	if len(d.added) > 0 {
		added, took := slices.Sorted(slices.Values(d.added)), slices.Sorted(slices.Values(d.took))
		r.Median, r.Largest, r.MedianCPU = added[len(added)/2], added[len(added)-1], took[len(took)/2]
	}
	s := d.history.Stats()
	r.File, r.Free = s.FileBytes, s.FreeBytes
	r.Grown = d.used() - d.before - r.Written
	var err error
	if r.Journal, err = d.journalled(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.progress, "  %d changes in %v: %.0f/s without snapshots; %.1f octets a change; file %s\n",
		r.Changes, r.Wall.Round(time.Second), r.PerSecond, r.perChange(), megabytes(uint64(r.File)))
	return nil
}

func total(counts [route.NumFamilies]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// samplePrefixes draws prefixes of the first feed.
func (d *days) samplePrefixes(n int) []netip.Prefix {
	random := newRandom(2)
	list := make([]netip.Prefix, n)
	for i := range list {
		run, place := d.known[0].draw(random)
		list[i] = d.known[0].runs[run].NLRI[place].Prefix
	}
	return list
}

// restless returns the prefixes of the most active units of the first feed.
func (d *days) restless(n int) []netip.Prefix {
	var list []netip.Prefix
	for _, u := range d.models[0].units[:min(n, len(d.models[0].units))] {
		list = append(list, u.nlri[0].Prefix)
	}
	return list
}
