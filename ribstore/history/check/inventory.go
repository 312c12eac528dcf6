package check

import (
	"cmp"
	"slices"

	"ribglass/ribstore/history/format"
)

// Inventory is what a file contains and what of it is missing or damaged. What
// is damaged is left out of the contents. What is missing has a mark in its
// place: a run of unknown origin, or a lost piece of the journal.
type Inventory struct {
	Contents format.Contents
	Names    []string // of peers by number, "" for a name that is missing
	Damage   []error

	codec *format.Codec
	end   format.End
}

// TakeInventory reads the keys of a file, its runs and the names of its peers,
// all of one moment. An error says that the file could not be read at all; the
// inventory then has what was read before.
func TakeInventory(from *format.Source) (*Inventory, error) {
	l := &Inventory{codec: from.Codec, Contents: format.Contents{Next: 1}}
	err := from.View(l.read)
	l.arrange()
	return l, err
}

func (l *Inventory) read(v format.Values) error {
	x := &l.Contents
	l.end = format.DecodeEnd(v.Get(format.BucketMeta, format.KeyEnd))
	err := v.Each(format.BucketRuns, func(key, stored []byte) error {
		if r, err := format.DecodeRun(l.codec, key, stored); err != nil {
			l.Damage = append(l.Damage, err)
		} else {
			x.Runs = append(x.Runs, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := v.Each(format.BucketPeers, l.name); err != nil {
		return err
	}
	if x.Snapshots, err = parseKeys(l, v, format.BucketSnapshots, format.ParseSnapshot); err != nil {
		return err
	}
	if x.Pieces, err = parseKeys(l, v, format.BucketJournal, format.ParsePiece); err != nil {
		return err
	}
	loads, err := parseKeys(l, v, format.BucketLoads, format.ParsePiece)
	if err != nil {
		return err
	}
	x.Pieces = append(x.Pieces, loads...)
	return v.Each(format.BucketMarks, func(key, stored []byte) error {
		if m, err := format.DecodeMark(l.codec, key, stored); err != nil {
			l.Damage = append(l.Damage, err)
		} else {
			x.Marks = append(x.Marks, m)
		}
		return nil
	})
}

// parseKeys returns what the keys of a bucket describe.
func parseKeys[T any](l *Inventory, v format.Values, bucket []byte, parse func([]byte) (T, error)) (list []T, err error) {
	err = v.Each(bucket, func(key, _ []byte) error {
		if parsed, err := parse(key); err != nil {
			l.Damage = append(l.Damage, err)
		} else {
			list = append(list, parsed)
		}
		return nil
	})
	return list, err
}

// name reads the name of a peer.
func (l *Inventory) name(key, stored []byte) error {
	number, name, err := format.DecodePeerName(l.codec, key, stored)
	if err != nil {
		l.Damage = append(l.Damage, err)
		return nil
	}
	if number >= maxPeers {
		l.Damage = append(l.Damage, format.Damagedf("the number of a peer is out of range"))
		return nil
	}
	l.grow(number + 1)
	l.Names[number] = name
	return nil
}

// maxPeers bounds the memory that a hostile number of a peer can ask for.
const maxPeers = 1 << 20

// grow makes room for the names of n peers.
func (l *Inventory) grow(n uint32) {
	if n <= maxPeers && int(n) > len(l.Names) {
		l.Names = append(l.Names, make([]string, int(n)-len(l.Names))...)
	}
}

// arrange puts everything in order, and a mark in the place of what is missing:
// the journal reaches up to the end, and every run that something belongs to is
// there.
func (l *Inventory) arrange() {
	x := &l.Contents
	slices.SortFunc(x.Runs, func(a, b format.Run) int { return cmp.Compare(a.ID, b.ID) })
	x.Runs = slices.CompactFunc(x.Runs, func(a, b format.Run) bool { return a.ID == b.ID })
	slices.SortFunc(x.Snapshots, format.CompareSnapshots)
	x.Snapshots = slices.Compact(x.Snapshots)
	slices.SortStableFunc(x.Pieces, func(a, b format.Piece) int { return cmp.Compare(a.From, b.From) })
	kept := x.Pieces[:0]
	for _, p := range x.Pieces {
		if p.From >= x.Next {
			kept = append(kept, p)
			x.Next = p.To + 1
		}
	}
	x.Pieces = kept
	for i := range x.Snapshots {
		x.Next = max(x.Next, x.Snapshots[i].Next)
	}
	for i := range x.Pieces {
		l.needRun(x.Pieces[i].Run, x.Pieces[i].First, x.Pieces[i].From)
	}
	for i := range x.Snapshots {
		l.needRun(x.Snapshots[i].Run, x.Snapshots[i].Begun, x.Snapshots[i].Next)
	}
	l.grow(l.end.Peers)
	l.reachEnd()
}

// reachEnd adds a lost piece where the journal ends too early. A journal without
// any piece is no damage: its pieces may be older than what is kept.
func (l *Inventory) reachEnd() {
	x := &l.Contents
	reached := x.Next
	if n := len(x.Pieces); n > 0 {
		reached = x.Pieces[n-1].To + 1
	}
	x.Next = max(x.Next, l.end.Next)
	if reached < x.Next {
		last, id := int64(0), l.end.Run
		for i := range x.Runs {
			last, id = max(last, x.LastOf(x.Runs[i].ID)), max(id, x.Runs[i].ID)
		}
		l.needRun(id, last+1, x.Next)
		last = x.LastOf(id)
		x.Pieces = append(x.Pieces, format.Piece{Run: id, First: last, Last: last + 1, From: x.Next, To: x.Next, Lost: true})
		x.Next++
		l.Damage = append(l.Damage, format.Damagedf("the end of the journal is missing"))
	}
	if n := len(x.Runs); l.end.Run > 0 && (n == 0 || x.Runs[n-1].ID < l.end.Run) {
		start := int64(0)
		if n > 0 {
			start = x.LastOf(x.Runs[n-1].ID) + 1
		}
		l.needRun(l.end.Run, start, x.Next)
	}
}

// needRun adds a run of unknown origin when the run with a number is missing.
func (l *Inventory) needRun(id uint32, start int64, first uint64) {
	x := &l.Contents
	i, found := slices.BinarySearchFunc(x.Runs, id, func(r format.Run, id uint32) int { return cmp.Compare(r.ID, id) })
	if !found {
		x.Runs = slices.Insert(x.Runs, i, format.Run{ID: id, Origin: format.OriginUnknown, Start: start, Resumed: start, First: first, Reason: "it is damaged"})
		l.Damage = append(l.Damage, format.Damagedf("run %d is missing", id))
	}
}
