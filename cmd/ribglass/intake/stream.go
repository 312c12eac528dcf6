// Package intake reads recorded routes, MRT files in any compression, and
// imports them into collections.
//
// [Open] puts files into the order of time and returns a [Stream] of what a
// collector would have heard; files that overlap are merged. [Import] records a
// stream into the history of a collection. Neither owns a goroutine.
//
// # Error handling
//
// Damage within a file costs the record that has it: it is counted in the
// stream's [Report] and passed over. A file of which nothing can be read is an
// error, and so is one that cannot be opened.
package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
)

// Stream is what the peers of some files had to say, in the order of time. It is
// for one goroutine, but for [Stream.Consumed].
type Stream struct {
	ctx     context.Context //nolint:containedctx // of Open: what waits for a pipe ends with it
	options mrt.SourceOptions
	waiting []*file // to be read, the one that begins first at the front
	active  []*file // being read
	all     []*file
	last    *file // that Next read
	clock   time.Time
	limit   time.Time // no record is of a later time
	late    int
}

// file is one file of a stream.
type file struct {
	input

	begins time.Time // of its first batch; zero: it has none
	table  bool      // it begins with one

	source reading    // nil: not being read
	head   *mrt.Batch // read and not given away
	report mrt.Report // once it was read

	collection func() reading // makes the source of a collection; nil: it is a file

	foreign error // why it is no MRT file, of one in a directory
}

// reading is what a source of batches does, as mrt.Source documents it.
type reading interface {
	Next() (*mrt.Batch, error)
	Report() mrt.Report
	Consumed() int64
	Close() error
}

// merge merges a collection that begins at a time into the stream.
func (s *Stream) merge(h *history.History) {
	f := &file{begins: h.Stats().Begins, table: h.BeginsWithTable(), collection: func() reading { return newRecorded(s.ctx, h) }}
	f.path = "the collection"
	s.all = append(s.all, f)
	s.waiting = append(s.waiting, f)
	slices.SortStableFunc(s.waiting, func(a, b *file) int { return a.begins.Compare(b.begins) })
}

// Open opens files, all files of directories, and standard input ([Stdin]). What can
// be read only once, such as a pipe, is taken as it comes. The peers keep their
// identity over all of them, as mrt.Peers does; peers may be nil. Waiting for a pipe
// ends with ctx, now and in [Stream.Next].
func Open(ctx context.Context, paths []string, options mrt.SourceOptions) (*Stream, error) {
	if options.Peers == nil {
		options.Peers = mrt.NewPeers("")
	}
	list, err := inputs(paths)
	if err != nil {
		return nil, err
	}
	s := &Stream{ctx: ctx, options: options, limit: time.Now().Add(24 * time.Hour)}
	for i := range list {
		f := &file{input: list[i]}
		s.all = append(s.all, f)
		err := f.look(ctx)
		if err != nil && f.found && ctx.Err() == nil {
			f.foreign, f.report, err = err, mrt.Report{}, nil
		}
		if err != nil {
			return nil, errors.Join(s.interrupted(err), s.Close())
		}
		if !f.begins.IsZero() {
			s.waiting = append(s.waiting, f)
		}
	}
	slices.SortStableFunc(s.waiting, func(a, b *file) int { return a.begins.Compare(b.begins) })
	return s, nil
}

// look reads the beginning of a file for its time.
func (f *file) look(ctx context.Context) error {
	// Peers of its own: the stream's must not hear of anything twice.
	if err := f.begin(ctx, mrt.SourceOptions{ReplacesTable: true}); err != nil {
		return err
	}
	err := f.advance()
	if err == nil && f.head != nil {
		f.begins = f.head.At
		for err == nil && f.head != nil && f.head.Event == route.PeerUp {
			err = f.advance()
		}
		f.table = f.head != nil && f.head.Event == route.RefreshBegin
		f.head, f.report = nil, mrt.Report{}
	} else if err == nil && f.report.Records == 0 && len(f.report.Errors) > 0 {
		err = fmt.Errorf("%s: no MRT file: %w", f.name(), f.report.Errors[0])
	}
	if f.once && err == nil && !f.begins.IsZero() {
		return f.source.Close() // the rest of it is still to be read
	}
	return errors.Join(err, f.close())
}

// begin opens the file and its source.
func (f *file) begin(ctx context.Context, options mrt.SourceOptions) error {
	if f.collection != nil {
		f.source = f.collection()
		return nil
	}
	r, err := f.open(ctx)
	if err != nil {
		return err
	}
	source, err := mrt.NewSource(r, options)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", f.name(), err), f.close())
	}
	f.source = source
	return nil
}

// advance reads the next batch; head is nil after the last one. Damage that ends
// the file is in the report.
func (f *file) advance() error {
	var err error
	f.head, err = f.source.Next()
	if err == nil {
		return nil
	}
	f.head, f.report = nil, f.source.Report()
	if damage := (*mrt.Error)(nil); errors.Is(err, io.EOF) || errors.As(err, &damage) {
		return nil
	}
	return fmt.Errorf("%s: %w", f.name(), err)
}

func (f *file) close() error {
	var err error
	if f.source != nil {
		err = f.source.Close()
		f.source = nil
	}
	return errors.Join(err, f.input.close())
}

// Begins returns the time of the first batch, zero when there is none.
func (s *Stream) Begins() time.Time {
	if len(s.waiting) == 0 {
		return time.Time{}
	}
	return s.waiting[0].begins
}

// BeginsWithTable reports whether the file that begins first begins with a table.
func (s *Stream) BeginsWithTable() bool { return len(s.waiting) > 0 && s.waiting[0].table }

// First returns the path of the file that begins first.
func (s *Stream) First() string {
	if len(s.waiting) == 0 {
		return ""
	}
	return s.waiting[0].name()
}

// Next returns the next batch, which is the caller's until its Release, and
// io.EOF after the last one. Times do not decrease by a second or more: one that
// does, or that is in the future, which is where damage can put it, counts as the
// latest. Within a second they are as the files have them.
func (s *Stream) Next() (*mrt.Batch, error) {
	b, err := s.next()
	if err != nil {
		return nil, s.interrupted(err)
	}
	switch {
	case b.At.After(s.limit), !b.At.After(s.clock.Add(-time.Second)):
		s.late++
		b.At = s.clock
	case b.At.After(s.clock):
		s.clock = b.At
	}
	return b, nil
}

// interrupted returns why a read failed: that the context ended comes first.
func (s *Stream) interrupted(err error) error { return cmp.Or(s.ctx.Err(), err) }

// Late returns how many batches did not keep their time.
func (s *Stream) Late() int { return s.late }

func (s *Stream) next() (*mrt.Batch, error) {
	for {
		f := s.earliest()
		if len(s.waiting) > 0 && (f == nil || !s.waiting[0].begins.After(f.head.At)) {
			if err := s.begin(); err != nil {
				return nil, err
			}
			continue
		}
		if f == nil {
			return nil, io.EOF
		}
		b := f.head
		if err := f.advance(); err != nil {
			return nil, err
		}
		if s.last = f; f.head != nil {
			return b, nil
		}
		s.active = slices.DeleteFunc(s.active, func(o *file) bool { return o == f })
		return b, f.close()
	}
}

// earliest returns the file whose next batch is the earliest.
func (s *Stream) earliest() *file {
	var first *file
	for _, f := range s.active {
		if first == nil || f.head.At.Before(first.head.At) {
			first = f
		}
	}
	return first
}

// begin begins to read the file at the front.
func (s *Stream) begin() error {
	f := s.waiting[0]
	s.waiting = s.waiting[1:]
	if err := f.begin(s.ctx, s.options); err != nil {
		return err
	}
	if err := f.advance(); err != nil {
		return errors.Join(err, f.close())
	}
	if f.head == nil {
		return f.close() // it changed since it was looked at
	}
	s.active = append(s.active, f)
	return nil
}

// Ended reports whether the batch that Next gave last was the last one of a file.
func (s *Stream) Ended() bool { return s.last != nil && s.last.source == nil }

// Path returns the path of the file that Next read last.
func (s *Stream) Path() string {
	if s.last == nil {
		return ""
	}
	return s.last.name()
}

// Consumed returns how many octets of how many were read of all files, as they
// are on disk. Of pipes as many count as were read.
func (s *Stream) Consumed() (done, total int64) {
	waits := make(map[*file]bool, len(s.waiting))
	for _, f := range s.waiting {
		waits[f] = true
	}
	for _, f := range s.all {
		if f.source != nil && f.once {
			f.size = f.source.Consumed()
		}
		total += f.size
		switch {
		case f.source != nil:
			done += min(f.source.Consumed(), f.size)
		case !waits[f]:
			done += f.size
		}
	}
	return done, total
}

// Report says what was read of a file, and what could not be.
type Report struct {
	Path string
	mrt.Report

	Foreign error // why a file of a directory is not one of ours; nil: it is
}

// Lost returns how many things could not be read because the file is damaged. Not
// among them is what was read and is of no use: records of other types, and table
// entries that no router could have sent, such as routes of the collector itself.
func (r *Report) Lost() int {
	return r.PassedOver() - r.Skipped[mrt.SkippedType] - r.Skipped[mrt.SkippedEntry]
}

// PassedOver returns how many things were passed over for whatever reason.
func (r *Report) PassedOver() (n int) {
	for _, count := range r.Skipped {
		n += count
	}
	return n
}

// Reports returns the reports of the files so far, in the order they were given.
func (s *Stream) Reports() []Report {
	list := make([]Report, 0, len(s.all))
	for _, f := range s.all {
		if f.collection != nil {
			continue
		}
		r := Report{f.name(), f.report, f.foreign}
		if f.source != nil {
			r.Report = f.source.Report()
		}
		list = append(list, r)
	}
	return list
}

// Close closes the files that are being read.
func (s *Stream) Close() error {
	var errs []error
	for _, f := range s.active {
		errs = append(errs, f.close())
	}
	for _, f := range s.waiting {
		errs = append(errs, f.close())
	}
	s.active, s.waiting = nil, nil
	return errors.Join(errs...)
}
