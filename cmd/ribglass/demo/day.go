package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ribglass/cmd/ribglass/config"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

const (
	day = 24 * time.Hour

	// A day that ended longer ago is made anew: what is told of "three hours ago"
	// would not be there any more. A restart goes on with the one it has.
	freshFor = 15 * time.Minute

	flushEvery    = time.Hour // of the day
	snapshotEvery = 2 * time.Hour
)

// markFile says in a directory that its history is the demonstration's, which may
// remove it. No other history is ever touched.
const markFile = "README.txt"

const markText = `The demonstration of Ribglass ("make run") records in this directory. The history
in it begins with a day that was made up, and is made anew when the demonstration
starts and the last one ended a while ago. Remove the directory as you like.
`

// Prepare makes a history at path that a day before now begins with, in which the
// routers of the configuration say what is worth looking up. It leaves alone a history
// that somebody else made, and a history of its own that ended a moment ago.
func Prepare(ctx context.Context, cfg *config.Config, path string, now time.Time, log *slog.Logger) error {
	dir := filepath.Dir(path)
	mark := filepath.Join(dir, markFile)
	info, err := os.Stat(path)
	switch {
	case err == nil:
		if !isOurs(mark) {
			log.InfoContext(ctx, "the demonstration adds to the history in its directory, which it did not make", "directory", dir)
			return nil
		}
		if now.Sub(info.ModTime()) < freshFor {
			log.InfoContext(ctx, "the demonstration adds to the history of its last run", "directory", dir)
			return nil
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("demo: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := makeDay(ctx, cfg, path, now); err != nil {
		return fmt.Errorf("demo: make a day of history: %w", err)
	}
	if err := os.WriteFile(mark, []byte(markText), 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	log.InfoContext(ctx, "the demonstration made up a day of history and records from now on", "directory", dir,
		"try", "ribglass lookup "+victim().Addr().Next().String()+" --at 3h")
	return nil
}

// isOurs reports whether a directory has the demonstration's mark.
func isOurs(mark string) bool {
	text, err := os.ReadFile(mark)
	return err == nil && string(text) == markText
}

// makeDay writes the day to a file beside path, and puts it there when it is
// complete.
func makeDay(ctx context.Context, cfg *config.Config, path string, now time.Time) (err error) {
	recorded, err := load()
	if err != nil {
		return err
	}
	making := path + ".making"
	if err := os.Remove(making); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d := &director{now: now.Add(-day).UTC(), ends: now.UTC()}
	settings := cfg.History.Settings()
	d.history, err = history.Open(making, settings, history.Deps{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return d.now }})
	if err != nil {
		return err
	}
	actors := cast(cfg, recorded)
	err = d.play(ctx, script(actors, recorded))
	if err = errors.Join(err, d.history.Close()); err != nil {
		return errors.Join(err, os.Remove(making))
	}
	return os.Rename(making, path)
}

// actor is a router of the day.
type actor struct {
	peer   *route.Peer
	kind   config.Feed
	keep   route.Retention // of its routes when the session ends
	routes []announcement  // that it has at the end
}

// cast returns the routers that the speakers of a configuration play, as the
// collector describes them.
func cast(cfg *config.Config, recorded []entry) []actor {
	list := make([]actor, 0, len(cfg.Demo.Speakers))
	for i, s := range cfg.Demo.Speakers {
		n := cfg.Neighbors[slices.IndexFunc(cfg.Neighbors, func(n config.Neighbor) bool { return n.Name == s.Neighbor })]
		peer := &route.Peer{
			Name: n.Name, Router: n.Router, Group: n.Group, Description: n.Description, Address: n.Address,
			ASN: n.ASN, LocalASN: cfg.ASN, RouterID: routerID(i),
		}
		peer.Router = peer.RouterName()
		for _, f := range n.Families {
			peer.AddPath[f] = n.AddPath
		}
		list = append(list, actor{
			peer: peer, kind: s.Feed, keep: route.Retention{Stale: n.StaleTime}, routes: announcements(recorded, s.Feed, n.ASN),
		})
	}
	return list
}

// step is what a router does at a moment of the day.
type step struct {
	at      time.Duration // since the day began
	actor   *actor
	event   route.Event
	family  route.Family   // of EndOfRIB
	reason  string         // of PeerDown
	updates []route.Update // of Routes
}

// director records the steps of a script by a clock of its own.
type director struct {
	now, ends time.Time
	history   *history.History
	recorder  *ribstore.Recorder
}

func (d *director) play(ctx context.Context, steps []step) error {
	began := d.now
	d.history.Begin(began, false)
	t := table.New()
	d.recorder = ribstore.NewRecorder(t, d.history)
	for i := range steps {
		s := &steps[i]
		for at := began.Add(s.at); d.now.Before(at); {
			if err := d.pass(ctx, at); err != nil {
				return err
			}
		}
		b := route.Batch{Peer: s.actor.peer, Event: s.event, Family: s.family, Reason: s.reason, Updates: s.updates}
		if s.event == route.PeerUp || s.event == route.PeerDown {
			for _, f := range []route.Family{route.IPv4Unicast, route.IPv6Unicast} {
				b.Retention[f] = s.actor.keep
			}
		}
		d.recorder.Apply(&b)
		for more := true; more; {
			more = t.Work()
		}
	}
	for d.now.Before(d.ends) {
		if err := d.pass(ctx, d.ends); err != nil {
			return err
		}
	}
	d.history.RecordExpiry(d.ends) // nothing happened up to the end
	return errors.Join(d.history.Flush(), d.history.Merge(ctx))
}

// pass has the time pass until at, or for a minute, with what a server does
// meanwhile.
func (d *director) pass(ctx context.Context, at time.Time) error {
	before := d.now
	if d.now = before.Add(time.Minute); d.now.After(at) {
		d.now = at
	}
	d.recorder.Expire(d.now)
	if d.now.Truncate(flushEvery).Equal(before.Truncate(flushEvery)) {
		return nil
	}
	if err := d.history.Flush(); err != nil {
		return err
	}
	if d.now.Truncate(snapshotEvery).Equal(before.Truncate(snapshotEvery)) {
		return nil
	}
	_, err := d.recorder.Snapshot(ctx)
	return err
}
