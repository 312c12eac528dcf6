package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	"ribglass/ribstore/history/check"
	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
	"ribglass/setting"
)

// Config is what can be configured of a history.
type Config struct {
	SnapshotEvery time.Duration `yaml:"snapshot_every"` // of the whole table
	Keep          []Tier        `yaml:"keep"`           // which snapshots, and for how long
	Journal       time.Duration `yaml:"journal"`        // how long changes are kept; zero: as long as there is room
	Restart       time.Duration `yaml:"restart_time"`   // how long routes recorded before a restart wait for their peers to return
	PeerRate      setting.Size  `yaml:"peer_rate"`      // bytes a second that a peer may record; zero: any
	PeerBurst     setting.Size  `yaml:"peer_burst"`     // bytes that it may record at once
	MaxSize       int64         `yaml:"-"`              // of the file in bytes
}

// noPrefix asks for the whole table.
var noPrefix netip.Prefix //nolint:gochecknoglobals // constant

// Tier keeps one snapshot of every stretch of time, up to an age.
type Tier struct {
	Every time.Duration `yaml:"every"`
	For   time.Duration `yaml:"for"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	const day = 24 * time.Hour
	return Config{
		SnapshotEvery: 15 * time.Minute,
		Keep:          []Tier{{15 * time.Minute, 2 * day}, {time.Hour, 30 * day}, {day, 365 * day}},
		Journal:       30 * day,
		Restart:       30 * time.Minute,
		PeerRate:      256 << 10,
		PeerBurst:     128 << 20,
		MaxSize:       10e9,
	}
}

// Bounds of the settings.
const (
	minSnapshotEvery = time.Minute
	minSize          = 16 << 20
	minBurst         = 64 << 10
)

// share returns what a peer may record: no more than what fills the file in an hour,
// and no more than an eighth of the file at once.
func (c Config) share() (rate, burst int64) {
	return min(int64(c.PeerRate), c.MaxSize/3600), min(int64(c.PeerBurst), c.MaxSize/8)
}

// Validate returns the first setting that cannot be as a [*setting.Error], or nil.
func (c Config) Validate() error {
	switch {
	case c.SnapshotEvery < minSnapshotEvery:
		return setting.Errorf("snapshot_every", "%v: must be %v or more", c.SnapshotEvery, minSnapshotEvery)
	case c.Journal < 0:
		return setting.Errorf("journal", "%v: must not be negative", c.Journal)
	case c.Restart <= 0:
		return setting.Errorf("restart_time", "%v: must be positive", c.Restart)
	case c.PeerRate < 0:
		return setting.Errorf("peer_rate", "%v: must not be negative", c.PeerRate)
	case c.PeerBurst < minBurst:
		return setting.Errorf("peer_burst", "%v: must be %v or more", c.PeerBurst, setting.Size(minBurst))
	case c.MaxSize < minSize:
		return setting.Errorf("max_size", "%d: must be %d or more", c.MaxSize, minSize)
	}
	for i, t := range c.Keep {
		if t.Every <= 0 || t.For <= 0 {
			return setting.Errorf(fmt.Sprintf("keep[%d]", i), "every and for must be positive")
		}
		if t.For < t.Every {
			return setting.Errorf(fmt.Sprintf("keep[%d].for", i), "%v: must be at least every (%v), or nothing is kept", t.For, t.Every)
		}
	}
	return nil
}

// Deps are what a history needs of its surroundings. Logger and Now are
// required.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
	Now        func() time.Time
}

// History is one file of snapshots and journal. The zero History is of no use, and
// a History must not be copied. Only the table's writer calls the Record methods;
// many goroutines may call all others.
type History struct {
	config  Config
	limits  limits
	deps    Deps
	codec   *format.Codec
	source  format.Source // reads the file that is in force
	journal *journal
	metrics *metrics

	file         atomic.Pointer[file]      // replaced by a compaction
	index        atomic.Pointer[index]     // replaced under journal.mu
	trouble      atomic.Pointer[string]    // why nothing is recorded; nil: all is well
	untidy       atomic.Pointer[string]    // why no snapshot is taken or nothing is merged or dropped; nil: all is well
	troubleSince atomic.Pointer[time.Time] // since when either of these is so
	swap         sync.RWMutex              // held for writing while the file is replaced
	flushing     sync.Mutex                // held by Flush: what waits is taken and written by one at a time
	scratch      []byte                    // what one transaction of Flush writes
	loads        format.LoadWriter         // guarded by flushing, as is scratch
	sinceLoad    int                       // times that no group of a load was written; idem
	keeping      sync.Mutex                // held by what rewrites the file: snapshots, merges, retention, compaction
	taken        atomic.Int64              // records since the last snapshot,
	stored       atomic.Int64              // and octets of the journal that were written since
	hurry        atomic.Bool               // a snapshot is needed soon
	untracked    atomic.Bool               // a snapshot is needed to know the state of a peer again
	loading      atomic.Pointer[loading]   // of Resume; nil: it reads nothing
	live         *table.Table              // that is recorded, the writer's; nil: an import has its own
	full         atomic.Bool               // there is no room; what is oldest must go

	snapshotOctets atomic.Int64              // what the last snapshot took
	kept           atomic.Int64              // octets that cannot be dropped, when they are more than there should be; else zero
	cramped        atomic.Int64              // octets that must be free beside, since what is free does not stand together
	lastDropped    atomic.Pointer[time.Time] // when something was dropped for want of room; nil: never
	lastGap        atomic.Pointer[time.Time] // when something was lost that nothing else tells; nil: never
	compacted      time.Time                 // when the file was copied last,
	mergeAgain     time.Time                 // and when merges are tried again; guarded by keeping
	aliveFails     bool                      // the end of recording could not be noted; of the goroutine that writes
	started        started                   // when recording began; set by Resume

	weights   map[string]weight // of pieces by their key; guarded by keeping
	manifests manifestCache
	readers   sync.Pool // of *format.RangeReader, which have megabytes that every question needs again
}

// Open opens the file at path, and makes it when there is none. It sets a file
// with a damaged structure aside; recording goes on in a new file with everything
// that can be read of it. Errors are [ErrLocked], [ErrForeign] and those of the
// file system.
func Open(path string, cfg Config, deps Deps) (*History, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil { //nolint:gosec // the operator names it
		return nil, err
	}
	h, err := open(path, cfg, deps, false)
	if errors.Is(err, format.ErrDamaged) {
		if err = setAside(path, err, deps); err != nil {
			return nil, err
		}
		h, err = open(path, cfg, deps, false)
	}
	return h, err
}

// OpenReadOnly opens a file for questions only. No process may record into it
// meanwhile.
func OpenReadOnly(path string, deps Deps) (*History, error) {
	if _, err := os.Stat(path); err != nil { //nolint:gosec // the operator names it
		return nil, err
	}
	return open(path, DefaultConfig(), deps, true)
}

func open(path string, cfg Config, deps Deps, readOnly bool) (*History, error) {
	h := &History{config: cfg, deps: deps, limits: defaultLimits().within(cfg.MaxSize), weights: make(map[string]weight)}
	h.readers.New = func() any { return new(format.RangeReader) }
	h.journal = newJournal(&h.limits)
	h.journal.shares.rate, h.journal.shares.burst = cfg.share()
	var err error
	if h.codec, err = format.NewCodec(); err != nil {
		return nil, err
	}
	h.source = format.Source{Codec: h.codec, View: func(read func(format.Values) error) error {
		return h.view(func(tx *bbolt.Tx) error { return read(transaction{tx}) })
	}}
	f, err := openFile(path, readOnly, cfg.MaxSize)
	if err != nil {
		return nil, err
	}
	h.file.Store(f)
	if !readOnly { // the file is ours alone: what a compaction left that was killed is too
		if err := os.Remove(temporary(path)); err != nil && !errors.Is(err, fs.ErrNotExist) { //nolint:gosec // the operator names the file
			deps.Logger.Warn("what a compaction left cannot be removed", "error", err)
		}
	}
	if err := h.loadIndex(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.close())
	}
	if h.metrics, err = newMetrics(h, deps.Registerer); err != nil {
		return nil, errors.Join(err, f.close())
	}
	h.journal.thinned = h.metrics.thinned
	return h, nil
}

// Close closes the file. No other method may be called meanwhile or afterwards.
func (h *History) Close() error {
	h.codec.Close()
	return h.file.Load().close()
}

// view reads the file that is in force.
func (h *History) view(read func(*bbolt.Tx) error) error {
	h.swap.RLock()
	defer h.swap.RUnlock()
	return h.file.Load().view(read)
}

// Record records a batch that the table is about to apply, and sets its time:
// the table and the journal have one clock. Only the table's writer calls it.
func (h *History) Record(b *route.Batch) { b.At = h.journal.said(h.deps.Now(), b, h.live) }

// RecordAt records a batch of the past. now is the moment that it counts for, not before
// the moment of the batch before; the time of the batch may be another one, and is kept
// to the microsecond. A batch that has no time gets the moment.
func (h *History) RecordAt(b *route.Batch, now time.Time) { h.journal.batch(now, b) }

// RecordExpiry records that something in the table is about to expire, and
// returns the time that it does.
func (h *History) RecordExpiry(now time.Time) time.Time {
	h.journal.stepped(now)
	return h.journal.expire(now)
}

// TableWriter is the table that a history records, with the writer of the table.
type TableWriter struct {
	Table *table.Table
	// Do has the writer run a function between two batches, and waits until it has
	// run. It returns an error when the writer has ended.
	Do func(ctx context.Context, f func()) error
}

// Run writes what is recorded, takes snapshots and keeps the file in bounds,
// until the context ends; then it writes the rest.
func (h *History) Run(ctx context.Context, live TableWriter) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return h.write(ctx) })
	group.Go(func() error { return h.keep(ctx, live) })
	return group.Wait()
}

// Verify reads the whole file and reports what is damaged. It changes nothing,
// neither in the file nor in what the history makes of it, and records may be
// written meanwhile. progress, which may be nil, is told how many octets of how
// many were read. Errors are the error of the context and those of reading the
// file at all.
func (h *History) Verify(ctx context.Context, progress func(done, total int64)) (*check.Report, error) {
	h.keeping.Lock() // what is read stays where it is
	defer h.keeping.Unlock()
	return check.Verify(ctx, check.File{Path: h.file.Load().path, Source: h.source, Writing: &h.flushing}, progress)
}
