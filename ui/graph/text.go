package graph

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// TextOptions say how a picture is written for a terminal. The zero value is UTF-8
// with DefaultRows rows.
type TextOptions struct {
	ASCII bool // nothing but ASCII: "+-|" for lines, "x3" for repetitions
	Rows  int  // at most; 0 means DefaultRows
}

// DefaultRows is how many rows a picture has at most in a terminal.
const DefaultRows = 60

// Text writes the picture for a terminal: a row for each way to an origin, the
// best first, each AS in the column of its distance to the origin. Ways that end
// the same are joined: a row goes on where its line meets the row above. Folded
// nodes are folded here too.
//
//	> edge1  3356 ─────── 13335
//	  edge2  64510 ×3 ──┘
func (g *Graph) Text(o TextOptions) []byte {
	if o.Rows <= 0 {
		o.Rows = DefaultRows
	}
	t := textPicture{g: g, pen: utf8Pen()}
	if o.ASCII {
		t.pen = asciiPen()
	}
	t.grow()
	t.draw(o.Rows)
	return t.b
}

// pen are the characters that lines are drawn with.
type pen struct {
	across, down, tee, branch, last, times, more string
	ascii                                        bool
}

func utf8Pen() pen {
	return pen{across: "─", down: "│", tee: "┬", branch: "┤", last: "┘", times: "×", more: "…"}
}

func asciiPen() pen {
	return pen{across: "-", down: "|", tee: "+", branch: "+", last: "'", times: "x", more: "...", ascii: true}
}

// twig is a node of the tree that the ways make when read from the origins.
type twig struct {
	hop     Hop
	label   string
	twigs   []*twig
	routes  int
	best    bool
	senders []sender
}

// sender is a peer whose ways are equal, at the beginning of a row.
type sender struct {
	label  string
	routes int
	best   bool
}

type textPicture struct {
	g    *Graph
	pen  pen
	root twig
	b    []byte
}

// grow makes the tree. The peer is not a part of it: it stands at the beginning
// of its row.
func (t *textPicture) grow() {
	for i := range t.g.Walks {
		w := &t.g.Walks[i]
		hops := w.Hops
		from := sender{routes: w.Routes, best: w.Best}
		if n := &t.g.Nodes[hops[0].Node]; n.Kind == Peer || n.Kind == Fold && n.FoldedASes == 0 {
			from.label = t.plain(n.Label)
			hops = hops[1:]
		}
		at := &t.root
		for _, h := range slices.Backward(hops) {
			at = at.twig(h, t)
			at.routes += w.Routes
			at.best = at.best || w.Best
		}
		at.send(from)
	}
	t.root.sort()
}

func (w *twig) twig(h Hop, t *textPicture) *twig {
	for _, c := range w.twigs {
		if c.hop == h {
			return c
		}
	}
	label := t.plain(t.g.Nodes[h.Node].Label)
	if h.Times > 1 {
		label += " " + t.pen.times + strconv.Itoa(h.Times)
	}
	w.twigs = append(w.twigs, &twig{hop: h, label: label})
	return w.twigs[len(w.twigs)-1]
}

// send notes who sends a way.
func (w *twig) send(from sender) {
	for i := range w.senders {
		if s := &w.senders[i]; s.label == from.label {
			s.routes += from.routes
			s.best = s.best || from.best
			return
		}
	}
	w.senders = append(w.senders, from)
}

// sort puts what is best first, then what is most used; the walks come so
// ordered, and the sort is stable.
func (w *twig) sort() {
	slices.SortStableFunc(w.twigs, func(a, b *twig) int {
		if a.best != b.best {
			if a.best {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.routes, a.routes)
	})
	for _, c := range w.twigs {
		c.sort()
	}
}

// row is a way in the picture: its cells from the origin to the peer. The first
// own are of this row; further right it is joined to the row that it branches
// off.
type row struct {
	from   sender
	cells  []string // from the origin
	joined int      // so many of the cells are above
}

func (t *textPicture) rows() []row {
	var list []row
	var visit func(w *twig, cells []string, joined int)
	visit = func(w *twig, cells []string, joined int) {
		branch := func(twigs []*twig) {
			for _, c := range twigs {
				visit(c, append(slices.Clip(cells), c.label), joined)
				joined = len(cells)
			}
		}
		twigs := w.twigs
		if len(twigs) > 0 && twigs[0].best && (len(w.senders) == 0 || !w.senders[0].best) {
			branch(twigs[:1])
			twigs = twigs[1:]
		}
		for _, s := range w.senders {
			list = append(list, row{s, slices.Clone(cells), joined})
			joined = len(cells)
		}
		branch(twigs)
	}
	visit(&t.root, nil, 0)
	return list
}

// plain makes a label fit for the pen.
func (t *textPicture) plain(s string) string {
	if !t.pen.ascii {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return '?'
		}
		return r
	}, strings.ReplaceAll(s, "…", "..."))
}

// draw writes the rows. Columns are counted from the right.
func (t *textPicture) draw(most int) {
	rows := t.rows()
	left := rows[min(most, len(rows)):]
	rows = rows[:len(rows)-len(left)]
	c := newCanvas(rows)
	for i := range rows {
		t.b = append(t.b, t.line(c, rows, i)...)
		t.b = append(t.b, '\n')
	}
	if len(left) > 0 {
		routes := 0
		for _, r := range left {
			routes += r.from.routes
		}
		t.b = append(t.b, t.pen.more+" "+plural(len(left), "more row", "more rows")+" of "+plural(routes, "route", "routes")+"\n"...)
	}
	for _, n := range t.g.notes() {
		t.b = append(t.b, t.plain(n)+"\n"...)
	}
}

// canvas are the measures of the columns.
type canvas struct {
	sender, count int
	widths        []int // from the origin
}

func newCanvas(rows []row) canvas {
	var c canvas
	for _, r := range rows {
		c.sender = max(c.sender, cells(r.from.label))
		if r.from.routes > 1 {
			c.count = max(c.count, len(strconv.Itoa(r.from.routes)))
		}
		for i := r.joined; i < len(r.cells); i++ {
			for len(c.widths) <= i {
				c.widths = append(c.widths, 0)
			}
			c.widths[i] = max(c.widths[i], cells(r.cells[i]))
		}
	}
	return c
}

// line writes one row: mark, peer, count, then the columns from the farthest to
// the origin with joins between them.
func (t *textPicture) line(c canvas, rows []row, at int) string {
	r := &rows[at]
	var b strings.Builder
	mark, count := "  ", ""
	if r.from.best {
		mark = "> "
	}
	if r.from.routes > 1 {
		count = strconv.Itoa(r.from.routes)
	}
	b.WriteString(mark + r.from.label + strings.Repeat(" ", c.sender-cells(r.from.label)+2))
	if c.count > 0 {
		b.WriteString(strings.Repeat(" ", c.count-len(count)) + count + "  ")
	}
	for i := range slices.Backward(c.widths) {
		switch {
		case i >= len(r.cells):
			b.WriteString(strings.Repeat(t.pen.across, c.widths[i]+1))
		case i < r.joined:
			b.WriteString(strings.Repeat(" ", c.widths[i]+1))
		case i == 0:
			b.WriteString(r.cells[i])
		default:
			b.WriteString(r.cells[i] + " " + strings.Repeat(t.pen.across, c.widths[i]-cells(r.cells[i])))
		}
		if i > 0 {
			b.WriteString(t.join(rows, at, i))
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// join draws what is between column i and column i-1 to its right: a row comes
// from the left up to the join where it meets the row above.
func (t *textPicture) join(rows []row, at, i int) string {
	r, below := &rows[at], t.continues(rows, at, i)
	switch {
	case i == r.joined && below:
		return t.pen.across + t.pen.branch + "  "
	case i == r.joined:
		return t.pen.across + t.pen.last + "  "
	case i > r.joined && below:
		return t.pen.across + t.pen.tee + t.pen.across + " "
	case i > r.joined && i > len(r.cells):
		return strings.Repeat(t.pen.across, 4)
	case i > r.joined:
		return strings.Repeat(t.pen.across, 3) + " "
	case below:
		return " " + t.pen.down + "  "
	}
	return "    "
}

// continues reports whether a row further down is joined to the cell in column
// i-1 that row at has or is below.
func (t *textPicture) continues(rows []row, at, i int) bool {
	for _, r := range rows[at+1:] {
		if r.joined < i {
			return false // it begins a new cell in that column or further right
		}
		if r.joined == i {
			return true
		}
	}
	return false
}
