package check

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ribglass/ribstore/history/format"
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
	What  string // what is damaged, for people
	Means string // what that means for the history
}

// Report is what a check of a whole file found.
type Report struct {
	Problems []Problem
	Runs     int
	Peers    int

	Snapshots, Chunks, Orphans Amount    // orphans are chunks that belong to no snapshot
	Journal                    [4]Amount // by level
	Loads                      Amount    // groups of loads
	Blocks                     Amount
	Records                    int64 // in the journal

	FileBytes, FreeBytes int64
	LostPages            int // neither in use nor free; harmless
}

// maxReported bounds the problems of a report.
const maxReported = 1000

// File is a history to be verified.
type File struct {
	Path   string
	Source format.Source
	// Writing is held while a writer changes the file.
	Writing sync.Locker
}

// Verify reads a whole file and reports what is damaged. It changes nothing.
// Records may be written meanwhile, but what is in the file must stay there.
// progress, which may be nil, is told how many octets of how many were read.
// Errors are the error of the context and those of reading the file at all.
func Verify(ctx context.Context, file File, progress func(done, total int64)) (*Report, error) {
	v := verifier{ctx: ctx, file: file, progress: progress, right: make(map[format.Hash]bool)}
	v.counted = format.Source{Codec: file.Source.Codec, View: func(read func(format.Values) error) error {
		return file.Source.View(func(all format.Values) error { return read(counting{all, &v}) })
	}}
	for _, step := range []func() error{v.structure, v.inventory, v.snapshots, v.journal, v.orphans} {
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
	file     File
	counted  format.Source // reads the file and counts what is read
	report   Report
	progress func(done, total int64)
	done     int64
	total    int64
	has      format.Contents
	names    []string
	right    map[format.Hash]bool // whether a chunk is as it was written, for all chunks that were read
	chunk    format.ChunkReader
}

// counting counts the values that are read.
type counting struct {
	format.Values

	verifier *verifier
}

func (c counting) Get(bucket, key []byte) []byte {
	stored := c.Values.Get(bucket, key)
	if stored != nil {
		c.verifier.count(bucket, key, stored)
	}
	return stored
}

func (v *verifier) count(bucket, key, stored []byte) {
	r := &v.report
	switch string(bucket) {
	case string(format.BucketSnapshots):
		r.Snapshots.add(stored)
	case string(format.BucketChunks):
		r.Chunks.add(stored)
	case string(format.BucketBlocks):
		r.Blocks.add(stored)
	case string(format.BucketLoads):
		r.Loads.add(stored)
	case string(format.BucketJournal):
		if p, err := format.ParsePiece(key); err == nil && int(p.Level) < len(r.Journal) {
			r.Journal[p.Level].add(stored)
		}
	}
	v.tell(v.done + int64(len(stored)))
}

func (v *verifier) problem(means, what string, args ...any) {
	if len(v.report.Problems) < maxReported {
		v.report.Problems = append(v.report.Problems, Problem{fmt.Sprintf(what, args...), means})
	}
}

// tell tells the caller how much was done.
func (v *verifier) tell(done int64) {
	v.done = min(done, v.total)
	if v.progress != nil {
		v.progress(v.done, v.total)
	}
}

// structure walks the pages of the file. Writers wait meanwhile.
func (v *verifier) structure() error {
	v.file.Writing.Lock()
	defer v.file.Writing.Unlock()
	p, err := walkPages(v.file.Path, nil)
	if errors.Is(err, format.ErrDamaged) {
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

// inventory reads what a history reads when it opens the file.
func (v *verifier) inventory() error {
	l, err := TakeInventory(&v.file.Source)
	if err != nil {
		v.problem("nothing can be told about what it leads to", "the index: %v", err)
	}
	for _, err := range l.Damage {
		v.problem("it is left out", "%v", err)
	}
	v.has, v.names = l.Contents, l.Names
	v.report.Runs = len(v.has.Runs)
	for number, name := range v.names {
		if name == "" {
			v.problem("what it said is known only where a snapshot knows it", "the name of peer %d is missing", number)
			continue
		}
		v.report.Peers++
	}
	for i := 1; i < len(v.has.Pieces); i++ {
		if a, b := &v.has.Pieces[i-1], &v.has.Pieces[i]; a.To+1 != b.From && !b.Lost {
			v.problem("what changed then is not known", "the journal has a hole from %s to %s", format.Stamp(a.Last), format.Stamp(b.First))
		}
	}
	return nil
}

// snapshots reads every snapshot with its chunks.
func (v *verifier) snapshots() error {
	for i := range v.has.Snapshots {
		s := &v.has.Snapshots[i]
		m, err := v.counted.Manifest(s)
		if err == nil && len(m.Tail) > 0 {
			err = new(format.GroupReader).Decode(m.Tail, func(*format.Record) error { return nil })
		}
		if err == nil {
			err = v.ranges(m)
		}
		if ctx := v.ctx.Err(); ctx != nil {
			return ctx
		}
		if err != nil {
			v.problem(v.instead(i), "the snapshot of %s cannot be used: %v", format.Stamp(s.End), err)
		}
	}
	return nil
}

// instead says what takes the place of a snapshot.
func (v *verifier) instead(i int) string {
	if i > 0 {
		return fmt.Sprintf("the snapshot of %s and the journal since then are used instead, where they reach", format.Stamp(v.has.Snapshots[i-1].End))
	}
	return "the journal is used instead, where it reaches"
}

// ranges reads the chunks of a snapshot that were not read before.
func (v *verifier) ranges(m *format.Manifest) error {
	bad := 0
	var first error
	for i := range m.Ranges {
		for _, at := range m.Ranges[i].Chunks() {
			right, known := v.right[at]
			if !known {
				_, err := v.counted.Chunk(&v.chunk, at)
				if v.ctx.Err() != nil {
					return v.ctx.Err()
				}
				if err != nil && first == nil {
					first = err
				}
				right = err == nil
				v.right[at] = right
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
		first = format.Damagedf("a chunk that was reported before")
	}
	return fmt.Errorf("%d of its chunks: %w", bad, first)
}

// orphans counts the chunks that belong to no snapshot.
func (v *verifier) orphans() error {
	err := v.file.Source.View(func(all format.Values) error {
		return all.Each(format.BucketChunks, func(key, stored []byte) error {
			if at, ok := format.ParseHash(key); ok {
				if _, ok := v.right[at]; ok {
					return nil
				}
			}
			v.report.Orphans.add(stored)
			v.tell(v.done + int64(len(stored)))
			return v.ctx.Err()
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
	for i := range v.has.Pieces {
		p := &v.has.Pieces[i]
		if p.Lost || !p.IsGroup() && int(p.Level) >= len(v.report.Journal) {
			continue // told before
		}
		v.report.Records += int64(p.Records)
		err := v.piece(p)
		if ctx := v.ctx.Err(); ctx != nil {
			return ctx
		}
		if err != nil {
			v.problem(fmt.Sprintf("what changed from %s to %s is not known", format.Stamp(p.First), format.Stamp(p.Last)), "%v", err)
		}
	}
	return nil
}

func (v *verifier) piece(p *format.Piece) error {
	count := int64(0)
	add := func(rec *format.Record) error {
		if rec.At < p.First || rec.At > p.Last {
			return format.Damagedf("it has a record of another time: %s", format.Stamp(rec.At))
		}
		if rec.OfPeer() && int(rec.Peer) >= len(v.names) {
			return format.Damagedf("it has a record of an unknown peer")
		}
		count += int64(rec.Weight())
		return nil
	}
	if !p.IsGroup() {
		return v.segment(p, add)
	}
	err := v.counted.Group(p, add)
	if err == nil && count != int64(p.Records) {
		err = format.Damagedf("the journal of %s has %d records, its key says %d", format.Stamp(p.First), count, p.Records)
	}
	return err
}

// segment reads a segment. Its records are not counted, since a merge may put the
// changes of several batches into one.
func (v *verifier) segment(p *format.Piece, add func(*format.Record) error) error {
	s, err := v.counted.Segment(p)
	if err == nil {
		err = new(format.GroupReader).Decode(s.Events, add)
	}
	if err != nil {
		return err
	}
	var d format.BlockReader
	for number := range s.Blocks {
		if err := v.block(&d, p, s, number); err != nil {
			return err
		}
		if v.ctx.Err() != nil {
			return v.ctx.Err()
		}
	}
	return nil
}

// block checks that the changes of a block are in order and within their bounds.
func (v *verifier) block(d *format.BlockReader, p *format.Piece, s *format.Segment, number int) error {
	changes := uint32(0)
	var before format.Change
	right := true
	info := &s.Blocks[number]
	err := v.counted.Block(d, p, number, func(c format.Change) {
		if changes == 0 {
			right = format.SortKeyOf(c.Family, c.Prefix) == info.First
		} else if format.CompareChanges(&before, &c) > 0 {
			right = false
		}
		right = right && c.Family == info.First.Family && c.At >= p.First && c.At <= p.Last && int(c.Peer) < len(v.names)
		before = c
		changes++
	})
	if err == nil && (!right || changes != info.Changes) {
		err = format.Damagedf("block %d of the segment of %s is not as its header says", number, format.Stamp(p.First))
	}
	return err
}
