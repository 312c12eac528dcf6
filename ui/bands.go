package ui

import (
	"cmp"
	"strconv"
	"time"
)

// The picture of a timeline, in its own units: a row for each route, a band for
// each of its states.
const (
	bandsWidth   = 1000
	bandsLeft    = 150 // where time begins, right of the names
	bandsLetters = 22  // of a name, in that room
	bandsRow     = 18
	bandsTop     = 20 // above which the times stand
	bandsMost    = 40 // rows
	bandsPlain   = 12 // height of a band
	bandsTicks   = 5
	bandsShades  = 5
)

// Bands is the picture of what became of the routes of a prefix.
type Bands struct {
	Width, Height int
	Rows          []BandRow
	Ticks         []BandTick
	More          int // rows that are left out
}

// BandRow is a route in the picture.
type BandRow struct {
	Y, Base int // of its bands, and of its name
	Name    string
	Bands   []Band
}

// Band is a state that lasted.
type Band struct {
	X, Width int
	Class    string
	*TimelineState
}

// BandTick is a time at the upper edge.
type BandTick struct {
	X, End int
	Text   string
	Anchor string // as SVG names it
}

// Bands draws the states. Absences stay empty; of two attribute sets that follow
// each other the shades differ.
func (p *Timeline) Bands() *Bands {
	b := &Bands{Width: bandsWidth}
	for i := range p.Rows {
		if len(b.Rows) == bandsMost {
			b.More = len(p.Rows) - bandsMost
			break
		}
		b.Rows = append(b.Rows, p.bandRow(i))
	}
	b.Height = bandsTop + len(b.Rows)*bandsRow + 4
	layout := "01-02 15:04"
	if p.To.Sub(p.From) < 10*time.Minute {
		layout = "15:04:05"
	}
	for i := range bandsTicks {
		at := p.From.Add(p.To.Sub(p.From) * time.Duration(i) / (bandsTicks - 1))
		anchor := map[int]string{0: "start", bandsTicks - 1: "end"}[i]
		b.Ticks = append(b.Ticks, BandTick{p.x(at), b.Height, at.UTC().Format(layout), cmp.Or(anchor, "middle")})
	}
	return b
}

// x returns where a time stands.
func (p *Timeline) x(t time.Time) int {
	span := max(p.To.Sub(p.From), 1)
	return bandsLeft + int(float64(bandsWidth-bandsLeft)*min(max(float64(t.Sub(p.From))/float64(span), 0), 1))
}

func (p *Timeline) bandRow(i int) BandRow {
	r := &p.Rows[i]
	y := bandsTop + i*bandsRow
	row := BandRow{Y: y, Base: y + bandsPlain - 2, Name: bandName(r)}
	shades := map[string]int{}
	for j := len(r.States) - 1; j >= 0; j-- { // the oldest first
		s := &r.States[j]
		if s.Attrs == nil {
			continue
		}
		shade, known := shades[string(s.Attrs)]
		if !known {
			shade = len(shades) % bandsShades
			shades[string(s.Attrs)] = shade
		}
		band := Band{X: p.x(s.From), Class: "shade" + string(rune('0'+shade)), TimelineState: s}
		band.Width = max(p.x(s.To)-band.X, 2)
		if s.Stale {
			band.Class = "old"
		}
		row.Bands = append(row.Bands, band)
	}
	return row
}

// bandName is what stands before the bands of a route: the peer and, when it has
// several routes of a prefix, which; a long name is cut to the room there is.
func bandName(r *TimelineRow) string {
	path := ""
	if r.AddPath {
		path = " path " + strconv.FormatUint(uint64(r.PathID), 10)
	}
	name := []rune(clean(r.Peer))
	if most := bandsLetters - len(path); len(name) > most {
		name = append(name[:most-1], '…')
	}
	return string(name) + path
}
