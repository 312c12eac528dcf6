package httpapi

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// frame returns what all pages have. path is the page's own path without a
// suffix.
func (s *Server) frame(c *gin.Context, title catalogue.Text, path string) ui.Frame {
	with := func(suffix string) string {
		if raw := c.Request.URL.RawQuery; raw != "" {
			return path + suffix + "?" + raw
		}
		return path + suffix
	}
	now := s.now()
	f := ui.Frame{
		Title: title, Text: with(".txt"), JSON: with(".json"), Host: exampleHost(c.Request.Host),
		Version: s.deps.Info.Version, Now: now, Live: ui.Live{At: now},
	}
	var chosen *catalogue.Language
	f.Language, chosen = s.language(c)
	f.KeepLanguage = chosen != nil
	if f.InLanguage = "?lang="; c.Request.URL.RawQuery != "" {
		f.InLanguage = "?" + c.Request.URL.RawQuery + "&lang="
	}
	f.Moment.Asked = now
	if s.deps.History != nil {
		f.Moment.Kept = true
		f.Moment.Action, f.Moment.Fields = path, fieldsBut(c.Request.URL.Query(), "at", "cursor")
	}
	return f
}

// fieldsBut returns parameters for a form that has others of its own.
func fieldsBut(values url.Values, but ...string) []ui.Field {
	var list []ui.Field
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains(but, name) {
			continue
		}
		for _, v := range values[name] {
			list = append(list, ui.Field{Name: name, Value: v})
		}
	}
	return list
}

// turnBack has a page show the moment of a scene. What is live stays as it is.
func (s *Server) turnBack(c *gin.Context, f *ui.Frame, v scene, m pastMoment) {
	if v.live() {
		return
	}
	f.Now, f.Live = m.At, ui.Live{At: m.At}
	f.Moment.Past, f.Moment.Collection = true, v.collection
	f.Moment.Requested, f.Moment.Notices = m.Requested, m.Notices
	f.Moment.Keep = v.link("")
	if !v.at.IsZero() {
		f.Moment.Value = v.at.String()
	}
	path, _ := cutSuffix(c.Request.URL.EscapedPath())
	values := c.Request.URL.Query()
	for _, name := range []string{"at", "collection", "cursor"} {
		values.Del(name)
	}
	f.Moment.Live = withValues(path, values)
	if v.collection != "" && f.Moment.Action == "" {
		f.Moment.Action, f.Moment.Fields = path, fieldsBut(c.Request.URL.Query(), "at", "cursor")
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

// liveNow says how current the routes of the neighbours are.
func (s *Server) liveNow(list []ui.Neighbour) ui.Live {
	live := ui.Live{At: s.now(), Configured: len(list)}
	for i := range list {
		n := &list[i]
		if n.State == route.StateEstablished {
			live.Up++
		}
		live.LastUpdate = later(live.LastUpdate, n.LastUpdate)
		if !n.StaleSince.IsZero() && n.Total() > 0 {
			live.Stale = append(live.Stale, ui.StalePeer{Name: n.Peer.Name, Since: n.StaleSince})
		}
	}
	return live
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
