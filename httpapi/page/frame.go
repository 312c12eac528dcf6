package page

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"ribglass/httpapi/ask"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// frame returns what all pages have, with the live bar as the peers are now.
// path is the page's own path without a suffix.
func (v *visit) frame(title catalogue.Text, path string) ui.Frame {
	return v.frameOf(title, path, liveNow(v.reader.Peers(), v.Now()))
}

// frameOf is frame for a page that knows how current its answer is.
func (v *visit) frameOf(title catalogue.Text, path string, live ui.Live) ui.Frame {
	raw := v.Request.URL.RawQuery
	with := func(suffix string) string {
		if raw != "" {
			return path + suffix + "?" + raw
		}
		return path + suffix
	}
	now := v.Now()
	f := ui.Frame{
		Title: title, Text: with(".txt"), JSON: with(".json"), Host: exampleHost(v.Request.Host),
		Version: v.reader.Info().Version, Now: now, Live: live,
	}
	var chosen *catalogue.Language
	f.Language, chosen = v.language()
	f.KeepLanguage = chosen != nil
	if f.InLanguage = "?lang="; raw != "" {
		// A colon before the first slash would make what is before it a scheme.
		f.InLanguage = "?" + strings.ReplaceAll(raw, ":", "%3A") + "&lang="
	}
	f.Moment.Asked = now
	if opened := v.reader.Opened(); opened != "" {
		v.showCollection(&f, opened)
	}
	if v.reader.KeepsHistory() {
		f.Moment.Kept = true
		f.Moment.Action, f.Moment.Fields = path, fieldsBut(v.Request.URL.Query(), "at", "cursor")
	}
	return f
}

// timelessFrame is the frame of a page that cannot be asked for another moment:
// it has none, or a span or two moments of its own.
func (v *visit) timelessFrame(title catalogue.Text, path string, s ask.Scene, notices []string) ui.Frame {
	f := v.frame(title, path)
	if s.Collection != "" {
		v.showCollection(&f, s.Collection)
	}
	f.Moment.Action, f.Moment.Notices = "", notices
	return f
}

// shownFiles is how many files of a collection a page names.
const shownFiles = 3

// showCollection has a page say which collection it is about, instead of how current
// what routers say is. One that cannot be opened is told by the page itself.
func (v *visit) showCollection(f *ui.Frame, name string) {
	m := &f.Moment
	m.Past, m.Kept, m.Collection = true, true, name
	m.In = ask.Scene{Collection: name}.Link("")
	m.Keep = m.In
	one, err := v.reader.Collection(name)
	if err != nil {
		return
	}
	m.From, m.To = one.Kept.Begins, one.Kept.Ends
	m.Sources = one.Files[:min(len(one.Files), shownFiles)]
	m.MoreFiles = len(one.Files) - len(m.Sources)
	f.Live = ui.Live{At: m.To}
}

// fieldsBut returns parameters for a form that has others of its own.
func fieldsBut(values url.Values, but ...string) []ui.Field {
	var list []ui.Field
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains(but, name) {
			continue
		}
		for _, value := range values[name] {
			list = append(list, ui.Field{Name: name, Value: value})
		}
	}
	return list
}

func collectionField(s ask.Scene) []ui.Field {
	if s.Collection == "" {
		return nil
	}
	return []ui.Field{{Name: "collection", Value: s.Collection}}
}

// showMoment has a page show the moment of a scene. What is live stays as it is.
func (v *visit) showMoment(f *ui.Frame, s ask.Scene, m ask.Moment) {
	if s.Live() {
		return
	}
	if s.Collection != "" {
		v.showCollection(f, s.Collection)
	}
	f.Now, f.Live = m.At, ui.Live{At: m.At}
	f.Moment.Past = true
	f.Moment.Requested, f.Moment.Notices = m.Requested, m.Notices
	f.Moment.Keep = s.Link("")
	if !s.At.IsZero() {
		f.Moment.Value = s.At.String()
	}
	path, _ := cutSuffix(v.Request.URL.EscapedPath())
	values := v.Request.URL.Query()
	for _, name := range []string{"at", "collection", "cursor"} {
		values.Del(name)
	}
	if v.reader.Opened() == "" {
		f.Moment.Live = ask.WithValues(path, values)
	}
	if s.Collection != "" && f.Moment.Action == "" {
		f.Moment.Action, f.Moment.Fields = path, fieldsBut(v.Request.URL.Query(), "at", "cursor")
	}
}

// exampleHost returns the Host for examples to paste into a shell, and a
// stand-in when it has characters that no host has.
func exampleHost(host string) string {
	const ordinary = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]"
	if host == "" || strings.TrimLeft(host, ordinary) != "" {
		return "localhost"
	}
	return host
}

// liveNow says how current the routes of peers are.
func liveNow(peers *ask.Peers, now time.Time) ui.Live {
	live := ui.Live{At: now, Configured: len(peers.List)}
	for i := range peers.List {
		addLive(&live, &peers.List[i])
	}
	return live
}

func addLive(live *ui.Live, p *ask.Peer) {
	if p.Session.State == route.StateEstablished {
		live.Up++
	}
	live.LastUpdate = later(live.LastUpdate, p.Session.LastUpdate)
	if since := p.Stats.Freshness.StaleSince; !since.IsZero() && sum(p.Stats.Routes) > 0 {
		live.Stale = append(live.Stale, ui.StalePeer{Name: p.Session.Peer.Name, Since: since})
	}
}

// liveOf says how current an answer is.
func liveOf(res *query.Result) ui.Live {
	live := ui.Live{At: res.At, Configured: len(res.Freshness)}
	for _, f := range res.Freshness {
		if f.Up {
			live.Up++
		}
		live.LastUpdate = later(live.LastUpdate, f.LastUpdate)
		if !f.StaleSince.IsZero() {
			live.Stale = append(live.Stale, ui.StalePeer{Name: f.Peer, Since: f.StaleSince})
		}
	}
	return live
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func sum(counts [route.NumFamilies]int) int {
	n := 0
	for _, one := range counts {
		n += one
	}
	return n
}
