package httpapi

import (
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/activity"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ui"
)

// growthTime is how far back the growth of the table is shown.
const growthTime = 7 * 24 * time.Hour

// growthLeast is from what time on there is growth to show.
const growthLeast = time.Minute

// growthAnswer is the answer of GET /api/v1/growth: samples since the program
// started, and before that the snapshots, which count routes alone.
type growthAnswer struct {
	At        time.Time        `json:"at"`
	Snapshots []snapshotAnswer `json:"snapshots"`
	Samples   []sampleAnswer   `json:"samples"`
}

type sampleAnswer struct {
	At       time.Time    `json:"at"`
	Routes   familyCounts `json:"routes"`
	Prefixes familyCounts `json:"prefixes"`
}

// growth answers GET /api/v1/growth.
func (s *Server) growth(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	answer := growthAnswer{At: s.now().UTC(), Snapshots: []snapshotAnswer{}, Samples: []sampleAnswer{}}
	samples := s.deps.Store.Growth()
	for _, one := range s.snapshotsBefore(samples) {
		answer.Snapshots = append(answer.Snapshots, snapshotAnswer{At: one.At.UTC(), Routes: one.Routes})
	}
	for i := range samples {
		answer.Samples = append(answer.Samples, sampleAnswer{samples[i].At, countsOf(samples[i].Routes), countsOf(samples[i].Prefixes)})
	}
	return s.sendJSON(c, answer)
}

// snapshotsBefore returns the snapshots of the last days that are older than the
// samples.
func (s *Server) snapshotsBefore(samples []activity.Sample) []history.SnapshotInfo {
	var list []history.SnapshotInfo
	if s.deps.History == nil {
		return nil
	}
	begin := s.now().Add(-growthTime)
	for _, one := range s.snapshots() {
		if one.At.After(begin) && (len(samples) == 0 || one.At.Before(samples[0].At)) {
			list = append(list, one)
		}
	}
	return list
}

// growthOf puts the growth of the table on the first page: snapshots know no
// families.
func (s *Server) growthOf(page *ui.Home) {
	samples := s.deps.Store.Growth()
	g := &ui.Growth{}
	for _, one := range s.snapshotsBefore(samples) {
		g.Points = append(g.Points, ui.GrowthPoint{At: one.At.UTC(), Routes: one.Routes})
	}
	for i := range samples {
		g.Points = append(g.Points, ui.GrowthPoint{At: samples[i].At, Routes: sum(samples[i].Routes)})
	}
	if len(g.Points) == 0 || g.Last().At.Sub(g.First().At) < growthLeast {
		return
	}
	page.Growth = g
	now, then := &samples[len(samples)-1], reference(samples)
	if now.At.Sub(then.At) < growthLeast {
		return
	}
	page.GrowthSince = then.At
	for i := range page.Families {
		f := &page.Families[i]
		f.MoreRoutes, f.MorePrefixes = now.Routes[f.Family]-then.Routes[f.Family], now.Prefixes[f.Family]-then.Prefixes[f.Family]
	}
}

// reference returns the sample that growth is told from: of a day ago, or the
// oldest.
func reference(samples []activity.Sample) *activity.Sample {
	yesterday := samples[len(samples)-1].At.Add(-24 * time.Hour)
	then := &samples[0]
	for i := range samples {
		if samples[i].At.After(yesterday) {
			break
		}
		then = &samples[i]
	}
	return then
}

func sum(counts [route.NumFamilies]int) int {
	n := 0
	for _, one := range counts {
		n += one
	}
	return n
}
