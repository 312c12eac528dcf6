package history

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/route"
)

// Amount is how many values of one kind are in the file, and their octets.
type Amount struct {
	Count int
	Bytes int64
}

func (a *Amount) add(stored []byte) {
	a.Count++
	a.Bytes += int64(len(stored))
}

// Problem is one piece of damage that was found.
type Problem struct {
	What  string // is damaged, for people
	Means string // what the history does about it, "" for nothing
}

// VerifyReport is what a check of the whole file found.
type VerifyReport struct {
	Problems []Problem
	Runs     int
	Peers    int

	Snapshots, Chunks, Orphans Amount // Orphans are chunks that no snapshot has
	Journal                    [4]Amount
	Blocks                     Amount
	Records                    int64 // in the journal

	FileBytes, FreeBytes int64
	LostPages            int // neither in use nor free; harmless
}

// maxReported bounds the problems of a report.
const maxReported = 1000

// Verify reads the whole file and reports what is damaged. It changes nothing,
// neither in the file nor in what the history makes of it, and works while
// records are written. progress is told how many octets of how many were looked
// at. Errors are that of the context and those of reading at all.
func (h *History) Verify(ctx context.Context, progress func(done, total int64)) (*VerifyReport, error) {
	h.keeping.Lock() // what is looked at stays where it is
	defer h.keeping.Unlock()
	v := verifier{ctx: ctx, history: h, progress: progress, chunks: make(map[hash]bool)}
	for _, step := range []func() error{v.structure, v.index, v.snapshots, v.journal, v.orphans} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	v.tell(v.total)
	return &v.report, nil
}

// verifier makes a report.
type verifier struct {
	ctx      context.Context //nolint:containedctx // of one call
	history  *History
	report   VerifyReport
	progress func(done, total int64)
	done     int64
	total    int64
	x        *index
	names    []string
	chunks   map[hash]bool // whether each that a snapshot has is right
	writer   chunkReader
}

func (v *verifier) problem(means, format string, args ...any) {
	if len(v.report.Problems) < maxReported {
		v.report.Problems = append(v.report.Problems, Problem{fmt.Sprintf(format, args...), means})
	}
}

// tell tells how much was done, and returns the error of the context.
func (v *verifier) tell(done int64) {
	v.done = min(done, v.total)
	if v.progress != nil {
		v.progress(v.done, v.total)
	}
}

func (v *verifier) looked(stored []byte) error {
	v.tell(v.done + int64(len(stored)))
	return v.ctx.Err()
}

// structure walks the pages of the file. Writers wait meanwhile.
func (v *verifier) structure() error {
	h := v.history
	h.flushing.Lock()
	defer h.flushing.Unlock()
	p, err := walkPages(h.file.Load().path, nil)
	if errors.Is(err, ErrDamaged) {
		v.problem("the file is set aside when it is opened to be written", "%v", err)
		return nil
	}
	if err != nil {
		return err
	}
	for i := range p.problems {
		v.problem("when it is opened to be written, the file is set aside and what can be read of it is kept", "%s", p.problems[i].what)
	}
	if p.metas < 2 {
		v.problem("the other one is used, in which the last change of the file may be missing", "one of the two meta pages is damaged")
	}
	v.report.LostPages = p.unreachable()
	v.report.FileBytes, v.report.FreeBytes = p.size, int64(p.unused)*p.pageSize
	v.total = v.report.FileBytes - v.report.FreeBytes
	return v.ctx.Err()
}

// index reads what is read when the file is opened.
func (v *verifier) index() error {
	l := loader{codec: v.history.codec, index: &index{next: 1}}
	if err := v.history.view(l.read); err != nil {
		v.problem("nothing can be told about what it leads to", "the index: %v", err)
	}
	l.arrange()
	for _, err := range l.damage {
		v.problem("it is left out", "%v", err)
	}
	v.x, v.names = l.index, l.names
	v.report.Runs = len(v.x.runs)
	for number, name := range v.names {
		if name == "" {
			v.problem("what it said is known only where a snapshot knows it", "the name of peer %d is missing", number)
			continue
		}
		v.report.Peers++
	}
	for i := 1; i < len(v.x.pieces); i++ {
		if a, b := &v.x.pieces[i-1], &v.x.pieces[i]; a.to+1 != b.from && !b.lost {
			v.problem("what changed then is not known", "the journal has a hole from %s to %s", stamp(a.last), stamp(b.first))
		}
	}
	return nil
}

// snapshots reads every snapshot with its chunks.
func (v *verifier) snapshots() error {
	for i := range v.x.snapshots {
		s := &v.x.snapshots[i]
		m, err := v.manifest(s)
		if err == nil {
			err = v.ranges(m)
		}
		if ctx := v.ctx.Err(); ctx != nil {
			return ctx
		}
		if err != nil {
			v.problem(v.instead(i), "the snapshot of %s cannot be used: %v", stamp(s.end), err)
		}
	}
	return nil
}

// instead says what takes the place of a snapshot.
func (v *verifier) instead(i int) string {
	if i > 0 {
		return fmt.Sprintf("the snapshot of %s and the journal since then are used instead, where they reach", stamp(v.x.snapshots[i-1].end))
	}
	return "the journal is used instead, where it reaches"
}

func (v *verifier) manifest(s *snapshot) (*manifest, error) {
	var m *manifest
	err := v.history.view(func(tx *bbolt.Tx) error {
		stored := tx.Bucket(bucketSnapshots).Get(s.key())
		if stored == nil {
			return damaged("it is not there")
		}
		v.report.Snapshots.add(stored)
		if err := v.looked(stored); err != nil {
			return err
		}
		octets, err := v.history.codec.open(nil, stored)
		if err == nil {
			m, err = decodeManifest(s.key(), octets)
		}
		return err
	})
	if err != nil || len(m.tail) == 0 {
		return m, err
	}
	return m, new(groupReader).decode(m.tail, func(*record) error { return nil })
}

// ranges checks the chunks of a snapshot, each once.
func (v *verifier) ranges(m *manifest) error {
	bad := 0
	var first error
	for i := range m.ranges {
		for _, at := range m.ranges[i].chunks() {
			right, known := v.chunks[at]
			if !known {
				err := v.chunk(at)
				if v.ctx.Err() != nil {
					return v.ctx.Err()
				}
				if err != nil && first == nil {
					first = err
				}
				right = err == nil
				v.chunks[at] = right
			}
			if !right {
				bad++
			}
		}
	}
	if bad == 0 {
		return nil
	}
	if first == nil {
		first = damaged("a chunk that was reported before")
	}
	return fmt.Errorf("%d of its chunks: %w", bad, first)
}

// chunks returns the addresses of what a range is made of.
func (r *chunkRange) chunks() []hash {
	return append([]hash{r.base}, r.changes...)
}

func (v *verifier) chunk(at hash) error {
	err := v.history.view(func(tx *bbolt.Tx) error {
		stored := tx.Bucket(bucketChunks).Get(at[:])
		if stored != nil {
			v.report.Chunks.add(stored)
		}
		return v.looked(stored)
	})
	if err == nil {
		_, err = v.history.chunk(&v.writer, at)
	}
	return err
}

// orphans counts the chunks and blocks that belong to nothing.
func (v *verifier) orphans() error {
	err := v.history.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketChunks).ForEach(func(k, stored []byte) error {
			if len(k) == len(hash{}) {
				if _, ok := v.chunks[hash(k)]; ok {
					return nil
				}
			}
			v.report.Orphans.add(stored)
			return v.looked(stored)
		})
	})
	if v.ctx.Err() != nil {
		return v.ctx.Err()
	}
	if err != nil {
		v.problem("snapshots that have them cannot be used", "the chunks: %v", err)
	}
	return nil
}

// journal reads every group and segment.
func (v *verifier) journal() error {
	for i := range v.x.pieces {
		p := &v.x.pieces[i]
		if p.lost || int(p.level) >= len(v.report.Journal) {
			continue // told before
		}
		v.report.Records += int64(p.records)
		err := v.piece(p)
		if ctx := v.ctx.Err(); ctx != nil {
			return ctx
		}
		if err != nil {
			v.problem(fmt.Sprintf("what changed from %s to %s is not known", stamp(p.first), stamp(p.last)), "%v", err)
		}
	}
	return nil
}

func (v *verifier) piece(p *piece) error {
	err := v.history.view(func(tx *bbolt.Tx) error {
		stored := tx.Bucket(bucketJournal).Get(p.key())
		if stored != nil {
			v.report.Journal[p.level].add(stored)
		}
		return v.looked(stored)
	})
	if err != nil {
		return err
	}
	count := int64(0)
	add := func(rec *record) error {
		if rec.at < p.first || rec.at > p.last {
			return damaged("it has a record of another time: %s", stamp(rec.at))
		}
		count += int64(rec.weight())
		return v.known(rec)
	}
	if p.level == 0 {
		err = v.history.group(p, add)
	} else {
		err = v.segment(p, &count, add)
	}
	if err == nil && count != int64(p.records) {
		err = damaged("the journal of %s has %d records, its key says %d", stamp(p.first), count, p.records)
	}
	return err
}

// known makes sure that the peer of a record is.
func (v *verifier) known(rec *record) error {
	if rec.ofPeer() && int(rec.peer) >= len(v.names) {
		return damaged("it has a record of an unknown peer")
	}
	return nil
}

// weight returns how many records a record counts for.
func (r *record) weight() int {
	n := 1
	for i := range r.batch.Updates {
		n += len(r.batch.Updates[i].NLRI)
	}
	return n
}

func (v *verifier) segment(p *piece, count *int64, add func(*record) error) error {
	s, err := v.history.segmentOf(p)
	if err == nil {
		err = new(groupReader).decode(s.events, add)
	}
	if err != nil {
		return err
	}
	var d blockReader
	for number := range s.blocks {
		err := v.history.view(func(tx *bbolt.Tx) error {
			stored := tx.Bucket(bucketBlocks).Get(blockKey(p.key(), number))
			if stored != nil {
				v.report.Blocks.add(stored)
			}
			return v.looked(stored)
		})
		if err != nil {
			return err
		}
		if err := v.block(&d, p, s, number); err != nil {
			return err
		}
	}
	*count = int64(p.records) // batches do not survive a merge, so they are not counted
	return nil
}

// block checks that the changes of a block are in order and within their bounds.
func (v *verifier) block(d *blockReader, p *piece, s *segment, number int) error {
	changes := uint32(0)
	var before change
	right := true
	info := &s.blocks[number]
	err := v.history.block(d, p, number, func(f route.Family, c change) {
		if changes == 0 {
			right = placeOf(f, c.prefix) == info.first
		} else if comparePlaced(&placed{f, before}, &placed{f, c}) > 0 {
			right = false
		}
		right = right && f == info.first.family && c.at >= p.first && c.at <= p.last && int(c.peer) < len(v.names)
		before = c
		changes++
	})
	if err == nil && (!right || changes != info.changes) {
		err = damaged("block %d of the segment of %s is not as its header says", number, stamp(p.first))
	}
	return err
}
