package check

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"syscall"

	"ribglass/ribstore/history/format"
)

// bbolt trusts the pages of its file. A branch that leads to itself makes it walk
// for ever, it writes over a page that is both free and in use, and its own check
// ends the process when it meets a panic. So the pages are walked here first, and
// nothing in them is trusted. Here is also where a damaged file is read.
//
// A page begins with its number, what it is, and how many elements and further
// pages it has. A branch has keys and the numbers of pages, a leaf keys and
// values; the value of a bucket is the number of its first page, or a leaf.

const (
	pageHead    = 16 // also the size of an element
	pageBranch  = 0x01
	pageLeaf    = 0x02
	pageFree    = 0x10
	leafBucket  = 0x01
	boltMagic   = 0xED0CDAED
	boltMeta    = 64 // octets of a meta page behind its head
	maxDepth    = 32
	maxProblems = 100
	maxRead     = 256 << 20 // of one page
)

// pages walks the pages of a bbolt file.
type pages struct {
	file     io.ReaderAt
	size     int64
	pageSize int64
	root     uint64
	freelist uint64
	high     uint64 // number above all pages
	metas    int    // that are valid
	used     []bool
	flat     bool // each page is walked for itself, and no page below it
	unused   int  // pages that are free
	problems []pageProblem
	dropped  int

	// found is told every key of a bucket with its value, nil when only the
	// structure is of interest.
	found func(bucket, key, value []byte) error
}

// pageProblem is damage to the structure of a file.
type pageProblem struct {
	what   string
	branch bool // it concerns more than one leaf
}

func (p *pages) problem(branch bool, what string, args ...any) {
	if len(p.problems) < maxProblems {
		p.problems = append(p.problems, pageProblem{fmt.Sprintf(what, args...), branch})
	} else {
		p.dropped++
	}
}

// err returns the problems as one error, nil when there are none.
func (p *pages) err() error {
	if len(p.problems) == 0 {
		return nil
	}
	return format.Damagedf("%s (%d problems)", p.problems[0].what, len(p.problems)+p.dropped)
}

// openPages reads the meta pages of a file.
func openPages(f io.ReaderAt, size int64) (*pages, error) {
	p := &pages{file: f, size: size}
	var newest uint64
	for _, at := range []int64{0, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16} {
		b := make([]byte, pageHead+boltMeta)
		if _, err := f.ReadAt(b, at); err != nil {
			break
		}
		m := b[pageHead:]
		sum := fnv.New64a()
		_, _ = sum.Write(m[:56])
		pageSize := int64(binary.NativeEndian.Uint32(m[8:]))
		if binary.NativeEndian.Uint32(m) != boltMagic || binary.NativeEndian.Uint64(m[56:]) != sum.Sum64() || at != 0 && at != pageSize {
			continue
		}
		p.metas++
		if txid := binary.NativeEndian.Uint64(m[48:]); p.pageSize == 0 || txid > newest {
			newest, p.pageSize = txid, pageSize
			p.root, p.freelist, p.high = binary.NativeEndian.Uint64(m[16:]), binary.NativeEndian.Uint64(m[32:]), binary.NativeEndian.Uint64(m[40:])
		}
	}
	if p.pageSize < 512 {
		return nil, format.Damagedf("it has no valid meta page")
	}
	if whole := int64(p.high) * p.pageSize; whole > p.size || whole < 0 {
		return p, &cutError{format.Damagedf("it is cut off: %d octets of %d are there", p.size, whole)}
	}
	return p, nil
}

// cutError says that a file ends before its last page.
type cutError struct{ error }

func (e *cutError) Unwrap() error { return e.error }

// walk walks all pages. It returns errors of found only; the others are problems.
func (p *pages) walk() error {
	p.used = make([]bool, p.high)
	p.used[0], p.used[1] = true, true
	if err := p.tree(p.root, nil, bounds{}, 0); err != nil {
		return err
	}
	p.free()
	return nil
}

// claim marks a page, and the pages that continue it, as used, and returns its head.
func (p *pages) claim(id uint64, want ...uint16) (kind uint16, count int, length int64, ok bool) {
	head := make([]byte, pageHead)
	if id < 2 || id >= p.high {
		p.problem(true, "page %d does not exist", id)
		return 0, 0, 0, false
	}
	if _, err := p.file.ReadAt(head, int64(id)*p.pageSize); err != nil {
		p.problem(true, "page %d: %v", id, err)
		return 0, 0, 0, false
	}
	kind, count = binary.NativeEndian.Uint16(head[8:]), int(binary.NativeEndian.Uint16(head[10:]))
	more := uint64(binary.NativeEndian.Uint32(head[12:]))
	switch {
	case binary.NativeEndian.Uint64(head) != id:
		p.problem(true, "page %d says that it is page %d", id, binary.NativeEndian.Uint64(head))
		return 0, 0, 0, false
	case id+more >= p.high:
		p.problem(true, "page %d is longer than the file", id)
		return 0, 0, 0, false
	}
	for _, k := range want {
		ok = ok || k == kind
	}
	if !ok {
		p.problem(true, "page %d is of an unexpected kind", id)
		return 0, 0, 0, false
	}
	for i := id; i <= id+more; i++ {
		if p.used[i] {
			p.problem(true, "page %d is used twice", i)
			return 0, 0, 0, false
		}
		p.used[i] = true
	}
	return kind, count, int64(more+1) * p.pageSize, true
}

// bounds are what the keys of a page must be: at least low and below high. nil is
// no bound.
type bounds struct{ low, high []byte }

func (b bounds) have(key []byte) bool {
	return (b.low == nil || bytes.Compare(key, b.low) >= 0) && (b.high == nil || bytes.Compare(key, b.high) < 0)
}

// tree walks a page and the pages below it.
func (p *pages) tree(id uint64, bucket []byte, within bounds, depth int) error {
	kind, count, length, ok := p.claim(id, pageBranch, pageLeaf)
	if !ok {
		return nil
	}
	if depth > maxDepth {
		p.problem(true, "page %d is too deep", id)
		return nil
	}
	a := p.area(id, length)
	if kind == pageLeaf {
		return p.leaf(a, fmt.Sprintf("page %d", id), count, bucket, within)
	}
	if count == 0 {
		p.problem(true, "page %d is a branch to nowhere", id)
	}
	keys, children := p.branch(a, id, count, within)
	for i, child := range children {
		below := within
		if i > 0 {
			below.low = keys[i]
		}
		if i+1 < len(keys) {
			below.high = keys[i+1]
		}
		if err := p.tree(child, bucket, below, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// branch reads the elements of a branch, up to the first that is damaged.
func (p *pages) branch(a area, id uint64, count int, within bounds) (keys [][]byte, children []uint64) {
	for i := range count {
		e, ok := a.element(i)
		key, in := a.read(e.from(0), e.word(1))
		if !ok || !in || i > 0 && (bytes.Compare(key, keys[i-1]) <= 0 || !within.have(key)) {
			p.problem(true, "page %d: element %d is out of order", id, i)
			break
		}
		keys, children = append(keys, key), append(children, binary.NativeEndian.Uint64(e.b[8:]))
	}
	return keys, children
}

// leaf walks the elements of a leaf.
func (p *pages) leaf(a area, name string, count int, bucket []byte, within bounds) error {
	var before []byte
	for i := range count {
		e, ok := a.element(i)
		key, in := a.read(e.from(1), e.word(2))
		if ok = ok && in && a.has(e.from(1)+int64(e.word(2)), int64(e.word(3))); !ok {
			p.problem(false, "%s: element %d reaches outside", name, i)
			continue
		}
		if before != nil && bytes.Compare(key, before) <= 0 || !within.have(key) {
			p.problem(false, "%s: element %d is out of order", name, i)
			continue
		}
		before = key
		if isBucket := e.word(0)&leafBucket != 0; isBucket != (bucket == nil) {
			p.problem(false, "%s: element %d is of a wrong kind", name, i)
			continue
		}
		value := func() []byte { b, _ := a.read(e.from(1)+int64(e.word(2)), e.word(3)); return b }
		var err error
		if bucket == nil {
			err = p.bucket(key, value())
		} else if p.found != nil {
			err = p.found(bucket, key, value())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket walks a bucket.
func (p *pages) bucket(name, value []byte) error {
	if len(value) < 16 {
		p.problem(true, "the bucket %q is damaged", name)
		return nil
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 && p.flat {
		return nil
	} else if root != 0 {
		return p.tree(root, name, bounds{}, 0)
	}
	inline := value[16:]
	if len(inline) < pageHead || binary.NativeEndian.Uint16(inline[8:]) != pageLeaf {
		p.problem(true, "the bucket %q is damaged", name)
		return nil
	}
	a := area{front: inline, length: int64(len(inline))}
	return p.leaf(a, fmt.Sprintf("bucket %q", name), int(binary.NativeEndian.Uint16(inline[10:])), name, bounds{})
}

// noFreelist is the number of the list of free pages in a file that has none.
const noFreelist = ^uint64(0)

// free checks the list of free pages. In a file without one all pages that nothing
// refers to are free.
func (p *pages) free() {
	if p.freelist == noFreelist {
		p.unused = p.unreachable()
		for i := range p.used {
			p.used[i] = true
		}
		return
	}
	_, count, length, ok := p.claim(p.freelist, pageFree)
	if !ok {
		return
	}
	a := p.area(p.freelist, length)
	at := int64(pageHead)
	if count == 0xFFFF {
		b, there := a.read(at, 8)
		if !there {
			p.problem(true, "the list of free pages is cut off")
			return
		}
		count, at = int(min(binary.NativeEndian.Uint64(b), p.high)), at+8
	}
	b, ok := a.read(at, uint32(count*8))
	if !ok {
		p.problem(true, "the list of free pages is cut off")
		return
	}
	for ; len(b) > 0; b = b[8:] {
		id := binary.NativeEndian.Uint64(b)
		if id >= p.high || p.used[id] {
			p.problem(true, "page %d is free and in use, or free twice", id)
			continue
		}
		p.used[id] = true
		p.unused++
	}
}

// unreachable counts pages that are neither in use nor free.
func (p *pages) unreachable() int {
	n := 0
	for _, used := range p.used {
		if !used {
			n++
		}
	}
	return n
}

// area is the octets of a page.
type area struct {
	r      io.ReaderAt // of what is behind front
	start  int64
	length int64
	front  []byte
}

func (p *pages) area(id uint64, length int64) area {
	a := area{r: p.file, start: int64(id) * p.pageSize, length: length, front: make([]byte, p.pageSize)}
	n, _ := p.file.ReadAt(a.front, a.start)
	a.front = a.front[:n]
	return a
}

func (a area) has(at, n int64) bool { return at >= 0 && n >= 0 && at <= a.length && n <= a.length-at }

func (a area) read(at int64, n uint32) ([]byte, bool) {
	if !a.has(at, int64(n)) || n > maxRead {
		return nil, false
	}
	if at+int64(n) <= int64(len(a.front)) {
		return a.front[at : at+int64(n)], true
	}
	b := make([]byte, n)
	if _, err := a.r.ReadAt(b, a.start+at); err != nil {
		return nil, false
	}
	return b, true
}

// element is one element of a branch or a leaf.
type element struct {
	b      []byte
	offset int64
}

func (a area) element(i int) (element, bool) {
	e := element{make([]byte, pageHead), int64(pageHead + i*pageHead)}
	b, ok := a.read(e.offset, pageHead)
	if ok {
		e.b = b
	}
	return e, ok
}

func (e element) word(i int) uint32 { return binary.NativeEndian.Uint32(e.b[4*i:]) }

// from returns where the key begins: the number of word i, counted from the
// element.
func (e element) from(i int) int64 { return e.offset + int64(e.word(i)) }

// walkPages walks the pages of a file. It calls found, which may be nil, with
// every value that can be read. Damage is among the problems of what it returns;
// errors are those of found and of reading the file at all.
func walkPages(path string, found func(bucket, key, value []byte) error) (*pages, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p, err := openPages(f, info.Size())
	if err != nil {
		return nil, err
	}
	p.found = found
	return p, p.walk()
}

// Structure makes sure that bbolt can walk the pages of a file. A file that
// is only read may have damaged leaves: bbolt panics at one of them, and whoever
// reads the file has to expect that.
func Structure(path string, readOnly bool) error {
	p, err := walkPages(path, nil)
	if err != nil {
		return err
	}
	for i := range p.problems {
		if !readOnly || p.problems[i].branch {
			return p.err()
		}
	}
	return nil
}
