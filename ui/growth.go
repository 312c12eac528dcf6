package ui

import (
	"fmt"
	"strings"
	"time"
)

// Growth is how large the table was, the oldest first.
type Growth struct{ Points []GrowthPoint }

// GrowthPoint is how many routes there were at a moment.
type GrowthPoint struct {
	At     time.Time
	Routes int
}

// The line of growth, in its own units.
const (
	growthWidth  = 300
	growthHeight = 40
)

// Line returns the growth as the path of an SVG: time from left to right, the
// fewest routes at the bottom and the most at the top, unless they differ by less
// than a thousandth: what comes and goes all the time is no growth. Of points that
// are nearer to each other than one unit the last is drawn.
func (g *Growth) Line() string {
	first, last := g.First(), g.Last()
	least, most := first.Routes, first.Routes
	for _, p := range g.Points {
		least, most = min(least, p.Routes), max(most, p.Routes)
	}
	least -= max(0, most/1000-(most-least)) / 2
	most = max(most, least+most/1000)
	span := max(last.At.Sub(first.At), 1)
	var b strings.Builder
	place := func(p GrowthPoint) (x, y int) {
		y = growthHeight / 2
		if most > least {
			y = growthHeight - (p.Routes-least)*growthHeight/(most-least)
		}
		return int(float64(p.At.Sub(first.At)) / float64(span) * growthWidth), y
	}
	_, y := place(first)
	fmt.Fprintf(&b, "M0 %d", y+1)
	for i, p := range g.Points {
		x, y := place(p)
		if i+1 < len(g.Points) {
			if next, _ := place(g.Points[i+1]); next == x {
				continue
			}
		}
		fmt.Fprintf(&b, "L%d %d", x, y+1)
	}
	return b.String()
}

// First returns the oldest point.
func (g *Growth) First() GrowthPoint { return g.Points[0] }

// Last returns the newest point, which is that of the page.
func (g *Growth) Last() GrowthPoint { return g.Points[len(g.Points)-1] }

// Than returns the point that the newest is compared with: that of a day ago, or
// the oldest.
func (g *Growth) Than() GrowthPoint {
	then := g.First()
	for _, p := range g.Points {
		if p.At.After(g.Last().At.Add(-24 * time.Hour)) {
			break
		}
		then = p
	}
	return then
}

// More returns by how many routes the newest point is above that.
func (g *Growth) More() int { return g.Last().Routes - g.Than().Routes }

// signed writes a difference with its sign, "0" for none.
func (l tongue) signed(n int) string {
	switch {
	case n > 0:
		return "+" + l.count(n)
	case n < 0:
		return "\u2212" + l.count(-n)
	}
	return "0"
}

// since says since when a difference is: since yesterday, or since a time.
func (l tongue) since(now, then time.Time) string {
	now, then = now.UTC(), then.UTC()
	switch d := now.Sub(then); {
	case d >= 23*time.Hour && d < 36*time.Hour:
		return l.T("growth.yesterday")
	case d < 24*time.Hour && now.YearDay() == then.YearDay():
		return l.T("growth.since", then.Format("15:04 UTC"))
	}
	return l.T("growth.since", then.Format("2006-01-02 15:04 UTC"))
}
