// Package admin is the operator's listener: metrics, health, and the commands that
// change nothing but the sessions and the record.
package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
	"ribglass/httpapi/v1"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// readyTimeout bounds the lookup that proves that the table answers.
const readyTimeout = time.Second

// snapshotTimeout bounds a snapshot that was asked for.
const snapshotTimeout = 5 * time.Minute

// Deps are what an Admin works with. All but Snapshot and Loading must be set.
type Deps struct {
	Store    Store
	Sessions ask.Sessions
	Gatherer prometheus.Gatherer
	Logger   *slog.Logger
	// Refresh asks the peer to send every route again.
	Refresh func(peer string) error
	// Forget has the routes of a peer that is down removed at once.
	Forget func(ctx context.Context, peer string) error
	// Loading tells what must be read before anything can be answered, and nil when all is
	// read. nil: there is nothing.
	Loading func() *web.Loading
	// Snapshot takes a snapshot of the table. nil: the past is not kept.
	Snapshot func(ctx context.Context) (ask.Snapshot, error)
}

// Store is asked whether the table answers.
type Store interface {
	Search(ctx context.Context, q query.Query, p query.Page) (*query.Result, error)
}

// Admin answers the operator's listener: metrics, health, and the commands
// that change nothing but the sessions. Make it with [New]; it must not be
// copied.
type Admin struct {
	cfg  Config
	deps Deps
	mux  http.Handler

	snapping sync.Mutex // held while a snapshot is taken
}

// New returns an admin listener that does nothing until Run. It fails when
// cfg is not valid.
func New(cfg Config, deps Deps) (*Admin, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	a := &Admin{cfg: cfg, deps: deps}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(deps.Gatherer, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(deps.Logger.Handler(), slog.LevelWarn), MaxRequestsInFlight: 4, Timeout: web.ReadTimeout,
	}))
	mux.HandleFunc("GET /{$}", paths)
	mux.HandleFunc("GET /-/healthy", a.healthy)
	mux.HandleFunc("GET /-/ready", a.ready)
	mux.HandleFunc("POST /-/refresh", a.refresh)
	mux.HandleFunc("POST /-/forget", a.forget)
	mux.HandleFunc("POST /-/snapshot", a.snapshot)
	// A page in the operator's browser may not give commands: neither across
	// origins nor by a name of its own that resolves to this address.
	a.mux = headers(a.whenLoaded(http.NewCrossOriginProtection().Handler(mux)))
	return a, nil
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetHeaders(w.Header())
		next.ServeHTTP(w, r)
	})
}

// whenLoaded answers by next once everything is loaded. Until then the server is healthy
// and not ready, and it gives no metrics, since the table is still empty.
func (a *Admin) whenLoaded(next http.Handler) http.Handler {
	if a.deps.Loading == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		loading := a.deps.Loading()
		if loading == nil || r.URL.Path == "/-/healthy" {
			next.ServeHTTP(w, r)
			return
		}
		p := loading.Problem()
		status, _ := p.Code.Describe()
		w.Header().Set("Retry-After", p.Retry)
		say(w, status, p.Detail)
	})
}

// paths tells somebody who opens the address what there is.
func paths(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, `This is the admin listener of Ribglass: the pages and the API are on another address.

GET  /metrics                  for Prometheus
GET  /-/healthy                the program runs
GET  /-/ready                  the table answers
POST /-/refresh?peer=NAME      ask a peer for its routes again
POST /-/forget?peer=NAME       remove the routes of a peer that is down
POST /-/snapshot               take a snapshot now`)
}

// Handler returns the handler of the admin listener.
func (a *Admin) Handler() http.Handler { return a.mux }

// Run listens and answers until ctx ends; see [Server.Run].
func (a *Admin) Run(ctx context.Context) error {
	l, err := web.Listen(ctx, a.cfg.Listen)
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	return a.Serve(ctx, l)
}

// Serve is Run on a listener that the caller made; it closes l.
func (a *Admin) Serve(ctx context.Context, l net.Listener) error {
	a.deps.Logger.InfoContext(ctx, "admin listening", "address", l.Addr().String())
	return web.Serve(ctx, web.NewServer(a.mux, a.deps.Logger), l)
}

// healthy answers as long as the program can answer anything.
func (a *Admin) healthy(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "healthy") }

// ready answers whether the table answers. Sessions do not count: a looking
// glass whose routers are away still shows what it has.
func (a *Admin) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	q := query.Lookup{Match: query.Longest, Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 32)}.Query()
	if _, err := a.deps.Store.Search(ctx, q, query.Page{Limit: 1}); err != nil {
		a.deps.Logger.WarnContext(ctx, "not ready", "error", err)
		say(w, http.StatusServiceUnavailable, "the table does not answer")
		return
	}
	say(w, http.StatusOK, "ready")
}

// refusesHost answers a command that comes in under a name of somebody else's.
func (a *Admin) refusesHost(w http.ResponseWriter, r *http.Request) bool {
	if a.commandHost(r.Host) {
		return false
	}
	say(w, http.StatusMisdirectedRequest, "commands are taken under an address, localhost or a configured host only")
	return true
}

// refresh answers POST /-/refresh?peer=NAME.
func (a *Admin) refresh(w http.ResponseWriter, r *http.Request) {
	if name, ok := a.peerOf(w, r); ok {
		a.refreshPeer(w, r, name)
	}
}

// peerOf reads the peer that a command is about. It reports false when it has answered.
func (a *Admin) peerOf(w http.ResponseWriter, r *http.Request) (name string, ok bool) {
	if a.refusesHost(w, r) {
		return "", false
	}
	list, err := web.ReadParams(r.URL.RawQuery, web.One("peer"))
	name, given := list.Get("peer")
	if err == nil && !given {
		err = web.Problemf(web.CodeInvalidParameter, "which peer? POST %s?peer=NAME", r.URL.Path)
	}
	if err != nil {
		p := web.ProblemOf(err)
		status, _ := p.Code.Describe()
		say(w, status, p.Detail)
		return "", false
	}
	return name, true
}

// forget answers POST /-/forget?peer=NAME.
func (a *Admin) forget(w http.ResponseWriter, r *http.Request) {
	name, ok := a.peerOf(w, r)
	if !ok {
		return
	}
	session, known := a.deps.Sessions.Session(name)
	switch {
	case !known:
		say(w, http.StatusNotFound, "no such peer")
		return
	case session.State == route.StateEstablished:
		say(w, http.StatusConflict, "the session is up; only a peer that is down can be forgotten")
		return
	}
	if err := a.deps.Forget(r.Context(), name); err != nil {
		a.deps.Logger.WarnContext(r.Context(), "peer not forgotten", "peer", name, "error", err)
		say(w, http.StatusConflict, "the peer was not forgotten: a session is coming up or ending")
		return
	}
	body, err := json.Marshal(answer.Forgotten{Peer: name, Dynamic: session.Dynamic})
	if err != nil { // it holds a name
		say(w, http.StatusInternalServerError, "the peer was forgotten")
		return
	}
	w.Header().Set("Content-Type", web.TypeJSON)
	_, _ = w.Write(append(body, '\n')) // a client that is gone is nobody's error
}

func (a *Admin) refreshPeer(w http.ResponseWriter, r *http.Request, name string) {
	session, ok := a.deps.Sessions.Session(name)
	switch {
	case !ok:
		say(w, http.StatusNotFound, "no such peer")
		return
	case session.State != route.StateEstablished:
		say(w, http.StatusConflict, "the session is not established")
		return
	}
	if err := a.deps.Refresh(name); err != nil {
		a.deps.Logger.WarnContext(r.Context(), "refresh failed", "peer", name, "error", err)
		say(w, http.StatusConflict, "the peer was not asked; the log says why")
		return
	}
	a.deps.Logger.InfoContext(r.Context(), "refresh asked for", "peer", name)
	say(w, http.StatusAccepted, "asked "+name+" to send its routes again")
}

// snapshot answers POST /-/snapshot when the snapshot is stored. A client that
// goes away meanwhile does not end it.
func (a *Admin) snapshot(w http.ResponseWriter, r *http.Request) {
	switch {
	case a.refusesHost(w, r):
		return
	case a.deps.Snapshot == nil:
		say(w, http.StatusNotFound, noHistory)
		return
	case !a.snapping.TryLock():
		say(w, http.StatusConflict, "a snapshot is being taken already")
		return
	}
	defer a.snapping.Unlock()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(snapshotTimeout + web.WriteTimeout)) // tests have a writer without
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), snapshotTimeout)
	defer cancel()
	info, err := a.deps.Snapshot(ctx)
	switch {
	case ask.IsNoHistory(err):
		say(w, http.StatusNotFound, noHistory)
		return
	case err != nil:
		a.deps.Logger.ErrorContext(ctx, "snapshot failed", "error", err)
		say(w, http.StatusInternalServerError, "the snapshot failed; the log says why")
		return
	}
	body, err := json.Marshal(v1.SnapshotOf(info))
	if err != nil { // it holds a time and numbers
		say(w, http.StatusInternalServerError, "the snapshot was taken")
		return
	}
	w.Header().Set("Content-Type", web.TypeJSON)
	_, _ = w.Write(append(body, '\n')) // a client that is gone is nobody's error
}

// commandHost reports whether a command may come in under the Host.
func (a *Admin) commandHost(host string) bool {
	name := web.HostName(host)
	return web.IsAddress(name) || name == "localhost" || (len(a.cfg.Hosts) > 0 && web.HostAllowed(host, a.cfg.Hosts))
}

// noHistory names the setting that is missing.
const noHistory = `the past is not kept here: data_dir is missing in the configuration; a line such as "data_dir: /var/lib/ribglass" has the server record`

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text) //nolint:gosec // it is text/plain with nosniff; a client that is gone is nobody's error
}
