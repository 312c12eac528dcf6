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
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/route"
)

// Stream is what the peers of some files had to say, in the order of time. It is
// for one goroutine, but for [Stream.Consumed].
type Stream struct {
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
	path   string
	size   int64
	begins time.Time // of its first batch; zero: it has none
	table  bool      // it begins with one

	opened *os.File // nil: not being read
	source *mrt.Source
	head   *mrt.Batch // read and not given away
	report mrt.Report // once it was read
}

// Open opens files. The peers keep their identity over all of them, as mrt.Peers
// does; peers may be nil.
func Open(paths []string, options mrt.SourceOptions) (*Stream, error) {
	if options.Peers == nil {
		options.Peers = mrt.NewPeers("")
	}
	s := &Stream{options: options, limit: time.Now().Add(24 * time.Hour)}
	for _, path := range paths {
		f := &file{path: path}
		if err := f.look(); err != nil {
			return nil, err
		}
		s.all = append(s.all, f)
		if !f.begins.IsZero() {
			s.waiting = append(s.waiting, f)
		}
	}
	slices.SortStableFunc(s.waiting, func(a, b *file) int { return a.begins.Compare(b.begins) })
	return s, nil
}

// look reads the beginning of a file for its time.
func (f *file) look() error {
	// Peers of its own: the stream's must not hear of anything twice.
	if err := f.open(mrt.SourceOptions{ReplacesTable: true}); err != nil {
		return err
	}
	info, err := f.opened.Stat()
	if err == nil {
		f.size = info.Size()
		err = f.advance()
	}
	if err == nil && f.head != nil {
		f.begins = f.head.At
		for err == nil && f.head != nil && f.head.Event == route.PeerUp {
			err = f.advance()
		}
		f.table = f.head != nil && f.head.Event == route.RefreshBegin
		f.head, f.report = nil, mrt.Report{}
	} else if err == nil && f.report.Records == 0 && len(f.report.Errors) > 0 {
		err = fmt.Errorf("%s: no MRT file: %w", f.path, f.report.Errors[0])
	}
	return errors.Join(err, f.close())
}

func (f *file) open(options mrt.SourceOptions) error {
	opened, err := os.Open(f.path)
	if err != nil {
		return err
	}
	source, err := mrt.NewSource(opened, options)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", f.path, err), opened.Close())
	}
	f.opened, f.source = opened, source
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
	return fmt.Errorf("%s: %w", f.path, err)
}

func (f *file) close() error {
	if f.opened == nil {
		return nil
	}
	err := errors.Join(f.source.Close(), f.opened.Close())
	f.opened, f.source = nil, nil
	return err
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
	return s.waiting[0].path
}

// Next returns the next batch, which is the caller's until its Release, and
// io.EOF after the last one. Times do not decrease by a second or more: one that
// does, or that is in the future, which is where damage can put it, counts as the
// last.
func (s *Stream) Next() (*mrt.Batch, error) {
	b, err := s.next()
	if err != nil {
		return nil, err
	}
	switch {
	case b.At.After(s.limit), b.At.Before(s.clock.Truncate(time.Second)):
		s.late++
		b.At = s.clock
	case b.At.After(s.clock):
		s.clock = b.At
	default:
		b.At = s.clock
	}
	return b, nil
}

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
	if err := f.open(s.options); err != nil {
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
func (s *Stream) Ended() bool { return s.last != nil && s.last.opened == nil }

// Path returns the path of the file that Next read last.
func (s *Stream) Path() string {
	if s.last == nil {
		return ""
	}
	return s.last.path
}

// Consumed returns how many octets of how many were read of all files, as they
// are on disk.
func (s *Stream) Consumed() (done, total int64) {
	waits := make(map[*file]bool, len(s.waiting))
	for _, f := range s.waiting {
		waits[f] = true
	}
	for _, f := range s.all {
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
}

// Reports returns the reports of the files so far, in the order they were given.
func (s *Stream) Reports() []Report {
	list := make([]Report, len(s.all))
	for i, f := range s.all {
		list[i] = Report{f.path, f.report}
		if f.source != nil {
			list[i].Report = f.source.Report()
		}
	}
	return list
}

// Close closes the files that are being read.
func (s *Stream) Close() error {
	var errs []error
	for _, f := range s.active {
		errs = append(errs, f.close())
	}
	s.active, s.waiting = nil, nil
	return errors.Join(errs...)
}
