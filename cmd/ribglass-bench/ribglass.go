package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ribglass/httpapi/answer"
	"ribglass/ribstore/route"
)

// ribglass asks Ribglass over HTTP.
type ribglass struct {
	base   string // URL without a path
	admin  string // idem, of the admin listener
	client *http.Client
}

// ribglassSetup is what a run needs of Ribglass beside the feeds.
type ribglassSetup struct {
	binary  string
	feeds   []feed
	dynamic netip.Prefix  // sessions from here need no neighbour; zero: none
	stale   time.Duration // how long routes outlive their session; zero: the default

	snapshots time.Duration // between snapshots of the history; zero: the default
	forgets   bool          // it has no history
}

// startRibglass runs `ribglass serve` in dir.
func startRibglass(ctx context.Context, dir string, setup ribglassSetup) (*receiver, error) {
	var ports [3]int
	for i := range ports {
		port, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		ports[i] = port
	}
	file := filepath.Join(dir, "ribglass.yaml")
	if err := os.WriteFile(file, []byte(setup.config(dir, ports)), 0o600); err != nil {
		return nil, err
	}
	p, err := start(dir, setup.binary, "serve", "--config", file)
	if err != nil {
		return nil, err
	}
	asker := ribglass{
		"http://" + loopback(ports[1]), "http://" + loopback(ports[2]),
		&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	r := &receiver{name: "Ribglass", address: loopback(ports[0]), process: p, asker: asker}
	err = poll(ctx, 20*time.Millisecond, p, func() (bool, error) {
		status, failure := asker.status(ctx)
		if failure == nil && status.Version != "" {
			r.name = "Ribglass " + status.Version
		}
		return failure == nil, failure
	})
	if err != nil {
		r.shutdown()
		return nil, fmt.Errorf("start Ribglass: %w", err)
	}
	return r, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// config writes the configuration: ports of BGP, HTTP and admin.
func (s ribglassSetup) config(dir string, ports [3]int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "asn: %v\nrouter_id: 192.0.2.10\nlisten: [%q]\n", localASN, loopback(ports[0]))
	fmt.Fprintf(&b, "http: { listen: %q }\nadmin: { listen: %q }\n", loopback(ports[1]), loopback(ports[2]))
	if !s.forgets {
		fmt.Fprintf(&b, "data_dir: %q\n", dir)
	}
	if s.snapshots > 0 {
		fmt.Fprintf(&b, "history: { snapshot_every: %v }\n", s.snapshots)
	}
	settings := ""
	if s.stale > 0 {
		settings = ", stale_time: " + s.stale.String()
	}
	if len(s.feeds) > 0 {
		b.WriteString("neighbors:\n")
	}
	for _, f := range s.feeds {
		fmt.Fprintf(&b, "  - { name: %s, address: %v, asn: %v%s }\n", f.name, f.source, f.asn, settings)
	}
	if s.dynamic.IsValid() {
		fmt.Fprintf(&b, "dynamic_neighbors:\n  - { prefix: %v, group: exchange%s }\n", s.dynamic, settings)
	}
	return b.String()
}

// get decodes the JSON answer of a path.
func (r ribglass) get(ctx context.Context, path string, into any) error {
	return r.do(ctx, http.MethodGet, r.base, path, into)
}

// statusError is an answer that is no success.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return e.text }

// post gives the admin listener a command and decodes its JSON answer.
func (r ribglass) post(ctx context.Context, path string, into any) error {
	return r.do(ctx, http.MethodPost, r.admin, path, into)
}

func (r ribglass) do(ctx context.Context, method, base, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, base+path, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	response, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		return &statusError{response.StatusCode, fmt.Sprintf("%s %s: %s: %s", method, path, response.Status, body)}
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return drain(response.Body)
}

// drain reads the rest of an answer, so that its connection is used again.
func drain(body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}

func (r ribglass) status(ctx context.Context) (answer.Status, error) {
	var s answer.Status
	err := r.get(ctx, "/api/v1/status", &s)
	return s, err
}

func (r ribglass) answers(ctx context.Context, f feed, p netip.Prefix) (bool, error) {
	var found answer.Routes
	err := r.get(ctx, "/api/v1/routes?q="+url.QueryEscape(p.String())+"&peer="+f.name, &found)
	return err == nil && len(found.Routes) > 0 && found.Routes[0].Prefix == p, err
}

func (r ribglass) counts(ctx context.Context) ([route.NumFamilies]int, error) {
	var counts [route.NumFamilies]int
	s, err := r.status(ctx)
	counts[route.IPv4Unicast], counts[route.IPv6Unicast] = s.Routes.IPv4Unicast, s.Routes.IPv6Unicast
	return counts, err
}

func (r ribglass) close() { r.client.CloseIdleConnections() }

func (s ribglassSetup) start(ctx context.Context, dir string) (*receiver, error) {
	return startRibglass(ctx, dir, s)
}
