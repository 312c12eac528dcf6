package history

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore/history/format"
)

// metrics are the counters of a history and, at scrape time, the size of its file.
type metrics struct {
	records, failures prometheus.Counter
	write             prometheus.Histogram
	snapshots         prometheus.Counter
	snapshotSeconds   prometheus.Histogram
	damaged           prometheus.Counter
	dropped           prometheus.Counter
	thinnedChanges    *prometheus.CounterVec
	thinnedBytes      *prometheus.CounterVec
}

func newMetrics(h *History, r prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "ribglass_history_" + name, Help: help})
	}
	seconds := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ribglass_history_" + name, Help: help, Buckets: prometheus.ExponentialBuckets(1e-3, 4, 8),
		})
	}
	m := &metrics{
		records:         counter("records_total", "Changes and events written to the journal."),
		failures:        counter("write_failures_total", "Attempts to write the journal that failed."),
		write:           seconds("write_seconds", "Time to write what was pending."),
		snapshots:       counter("snapshots_total", "Snapshots taken."),
		snapshotSeconds: seconds("snapshot_seconds", "Time to take a snapshot."),
		damaged:         counter("damaged_total", "Parts of the file that were found damaged and passed over."),
	}
	m.dropped = counter("dropped_total", "Snapshots and pieces of the journal that were dropped for want of room, before their age.")
	byPeer := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ribglass_history_" + name, Help: help}, []string{"peer"})
	}
	m.thinnedChanges = byPeer("thinned_changes_total", "Changes that were not recorded because a peer said more than its share, by peer.")
	m.thinnedBytes = byPeer("thinned_bytes_total", "Bytes that these changes would have taken, by peer.")
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.records, m.failures, m.write, m.snapshots, m.snapshotSeconds, m.damaged, m.dropped, m.thinnedChanges, m.thinnedBytes, sizes{h}} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) wrote(groups []pendingGroup, took time.Duration) {
	for i := range groups {
		m.records.Add(float64(groups[i].piece.Records))
	}
	m.write.Observe(took.Seconds())
}

func (m *metrics) snapshot(info *SnapshotInfo) {
	m.snapshots.Inc()
	m.snapshotSeconds.Observe(info.Took.Seconds())
}

// thinned counts what was not recorded of a peer.
func (m *metrics) thinned(peer string, changes int, octets int64) {
	m.thinnedChanges.WithLabelValues(peer).Add(float64(changes))
	m.thinnedBytes.WithLabelValues(peer).Add(float64(octets))
}

// sizes reads what is in the file when it is asked for.
type sizes struct{ history *History }

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("ribglass_history_"+name, help, nil, nil)
}

// Describe implements prometheus.Collector.
func (s sizes) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(s, ch) }

// Collect implements prometheus.Collector.
func (s sizes) Collect(ch chan<- prometheus.Metric) {
	st := s.history.Stats()
	gauge := func(name, help string, v float64) {
		ch <- prometheus.MustNewConstMetric(describe(name, help), prometheus.GaugeValue, v)
	}
	gauge("file_bytes", "Size of the file.", float64(st.FileBytes))
	gauge("free_bytes", "Part of the file that is free for what comes.", float64(st.FreeBytes))
	gauge("max_bytes", "Size that the file may have.", float64(st.MaxBytes))
	gauge("kept_snapshots", "Snapshots in the file.", float64(st.Snapshots))
	gauge("pending_bytes", "Octets recorded and not written yet.", float64(st.PendingBytes))
	gauge("first_timestamp_seconds", "First moment that can be asked for.", seconds(st.Begins))
	gauge("last_snapshot_timestamp_seconds", "Moment of the newest snapshot.", seconds(st.LastSnapshot))
	recording := 0.0
	if s.history.Trouble() == "" && !st.ReadOnly {
		recording = 1
	}
	gauge("recording", "Whether changes are being written: 0 is an alarm.", recording)
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1e3
}

// Stats describes a history at one moment.
type Stats struct {
	Path                           string
	FileBytes, FreeBytes, MaxBytes int64
	PendingBytes                   int64
	Begins                         time.Time // first moment that can be asked for; zero: none
	LastSnapshot                   time.Time
	Ends                           time.Time // of what is recorded
	Snapshots                      int
	ReadOnly                       bool
	Trouble                        string    // why nothing is written, or no snapshot is taken; "" when all is well
	LastDropped                    time.Time // when something was dropped for want of room last; zero: never since the start
	LastGap                        time.Time // when changes of all peers were lost last; zero: never since the start
}

// Stats tells what the history holds.
func (h *History) Stats() Stats {
	x, pending := h.look()
	f := h.file.Load()
	st := Stats{
		Path: f.path, MaxBytes: h.config.MaxSize, Begins: x.begins(), Snapshots: len(x.Snapshots),
		ReadOnly: f.readOnly, Trouble: h.Trouble(), PendingBytes: int64(pending),
	}
	if t := h.untidy.Load(); t != nil && st.Trouble == "" {
		st.Trouble = *t
	}
	if t := h.lastDropped.Load(); t != nil {
		st.LastDropped = *t
	}
	if t := h.lastGap.Load(); t != nil {
		st.LastGap = *t
	}
	h.swap.RLock()
	st.FileBytes, st.FreeBytes = f.size()
	h.swap.RUnlock()
	if n := len(x.Snapshots); n > 0 {
		st.LastSnapshot = format.FromMillis(x.Snapshots[n-1].End)
	}
	if n := len(x.Runs); n > 0 {
		st.Ends = format.FromMillis(x.LastOf(x.Runs[n-1].ID))
	}
	return st
}

// Begins returns the first moment whose state is known, and the zero Time when there
// is none. It is cheaper than Stats.
func (h *History) Begins() time.Time {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	x := *h.index.Load()
	x.Runs = append(slices.Clip(x.Runs), h.journal.pending.runs...)
	return x.begins()
}

// look returns the index together with what is not in the file yet, and how many
// octets that has.
func (h *History) look() (*index, int) {
	j := h.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	x := *h.index.Load()
	x.Marks = withMarks(x.Marks, j.openMarks())
	if len(j.pending.groups) == 0 && j.open.Records == 0 && len(j.pending.runs) == 0 {
		return &x, 0
	}
	x.Runs = append(slices.Clip(x.Runs), j.pending.runs...)
	x.Pieces = slices.Clip(x.Pieces)
	for _, g := range j.share() {
		g.piece.Pending = g.buffer.octets
		x.Pieces = append(x.Pieces, g.piece)
		x.Next = g.piece.To + 1
	}
	return &x, j.pending.octets + len(j.open.Octets)
}
