package page

import (
	"slices"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/v1"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// pageSnapshots is how many snapshots a page lists.
const pageSnapshots = 100

// historyRow is /history.
func historyRow() row[nothing, []ask.CollectionInfo] {
	return row[nothing, []ask.CollectionInfo]{
		path: "/history", read: readNothing,
		ask: func(v *visit, _ nothing) ([]ask.CollectionInfo, error) { return v.reader.Collections(v.Context()) },
		json: func(v *visit, _ nothing, _ []ask.CollectionInfo) error {
			kept, err := v1.FullHistoryOf(v.reader)
			if err != nil {
				return err
			}
			return v.SendJSON(kept)
		},
		show: showHistory,
	}
}

func showHistory(v *visit, _ nothing, collections []ask.CollectionInfo) ui.Page {
	page := &ui.History{Frame: v.timelessFrame(catalogue.Say("history.title"), "/history", ask.Scene{}, nil)}
	if kept, err := v.reader.History(); err != nil {
		page.Absent, page.JSON = true, "/api/v1/collections"
	} else {
		describeHistory(page, kept, v.reader.Snapshots())
	}
	page.Collections = v.collectionsOf(collections)
	return page
}

// collections returns the collections in the form of a page. That they cannot be
// listed is logged.
func (v *visit) collections() []ui.Collection {
	list, err := v.reader.Collections(v.Context())
	if err != nil {
		v.pages.log.WarnContext(v.Context(), "collections cannot be listed", "error", err)
	}
	return v.collectionsOf(list)
}

func (v *visit) collectionsOf(collections []ask.CollectionInfo) (list []ui.Collection) {
	for _, one := range collections {
		c := ui.Collection{
			Name: one.Name, Begins: one.Kept.Begins, Ends: one.Kept.Ends, Bytes: one.Kept.FileBytes, Broken: one.Broken,
			URL: ask.Scene{Collection: one.Name}.Link("/"),
		}
		if v.reader.Opened() == "" {
			c.DiffURL = ask.DiffWith(one.Name)
		}
		list = append(list, c)
	}
	return list
}

func describeHistory(page *ui.History, kept ask.Kept, snapshots []ask.Snapshot) {
	h := v1.HistoryOf(kept)
	page.Begins, page.Ends, page.LastSnapshot, page.Recording = h.Begins, h.Ends, h.LastSnapshot, h.Recording
	page.SnapshotCount, page.FileBytes, page.FreeBytes = h.SnapshotCount, h.FileBytes, h.FreeBytes
	page.MaxBytes, page.PendingBytes = h.MaxBytes, h.PendingBytes
	newest := slices.Clone(snapshots[max(0, len(snapshots)-pageSnapshots):])
	slices.Reverse(newest)
	families := route.Families()
	for _, one := range newest {
		then := ask.Scene{At: query.Moment{Time: one.At.UTC()}}
		page.Snapshots = append(page.Snapshots, ui.Snapshot{
			At: one.At, Routes: one.Routes, URL: then.Link("/"), RoutesURL: then.AllRoutes(families[:]),
		})
	}
}
