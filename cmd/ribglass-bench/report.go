package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is everything one run found out.
type report struct {
	Started  time.Time `json:"started"`
	Machine  machine   `json:"machine"`
	Commit   string    `json:"commit"` // of the ribglass that is measured
	Table    string    `json:"table"`
	BIRD     *loads    `json:"bird,omitempty"`
	Ribglass *loads    `json:"ribglass,omitempty"`

	Forgetful *loads `json:"ribglass_without_history,omitempty"`

	Exchange *exchanged `json:"exchange,omitempty"`
	Churn    *churned   `json:"churn,omitempty"`
	HTTP     *httpLoad  `json:"http,omitempty"`
	Withdraw *withdrawn `json:"withdraw,omitempty"`
	Search   *searches  `json:"search,omitempty"`
	History  *pasts     `json:"history,omitempty"`
}

// machine is where it was measured.
type machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	Memory    uint64 `json:"memory_bytes"`
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
}

// describeMachine reads /proc; what it does not find stays empty.
func describeMachine() machine {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version()}
	m.Processor = procField("/proc/cpuinfo", "model name")
	m.Memory = parseKB(procField("/proc/meminfo", "MemTotal"))
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = runtime.GOOS + " " + strings.TrimSpace(string(kernel))
	}
	return m
}

// procField returns the first "name : value" of a file.
func procField(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if key, value, found := strings.Cut(s.Text(), ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *report) writeTable(w io.Writer) error {
	m := r.Machine
	fmt.Fprintf(w, "%s, commit %s\n%s, %d cores, %s memory, %s, %s\n%s\n\n", r.Started.Format(time.RFC3339), r.Commit,
		m.Processor, m.Cores, megabytes(m.Memory), m.Kernel, m.Go, r.Table)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	r.writeLoads(t)
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	r.writeRestart(w)
	r.writeHolds(w)
	r.writeExchange(w)
	r.writeChurn(w)
	r.writeHTTP(w)
	r.writeWithdraw(w)
	r.writeSearch(w)
	r.writeHistory(w)
	return nil
}

// writeHolds says what a larger machine holds if further feeds cost the same.
func (r *report) writeHolds(w io.Writer) {
	if r.Ribglass == nil {
		return
	}
	const machine = 24 << 30
	if further, ok := r.Ribglass.furtherFeed(); ok && further > 0 {
		feeds := len(r.Ribglass.Loads) + int((machine-int64(r.Ribglass.Settled))/further)
		fmt.Fprintf(w, "24 GiB hold about %d such feeds settled, at %.1f MB for each further one\n", feeds, float64(further)/1e6)
	}
}

func (r *report) writeExchange(w io.Writer) {
	if x := r.Exchange; x != nil {
		fmt.Fprintf(w, "exchange: %d peers, %d routes of %d prefixes, %d attribute sets, all in after %.2f s\n",
			x.Peers, x.Routes, x.Prefixes, x.Sets, x.Wall.Seconds())
		fmt.Fprintf(w, "  a route %.1f bytes of live heap over the sessions (table's own account %.1f), a session %.1f kB\n",
			x.perRoute(), float64(x.Settled.Table)/float64(x.Routes), x.perSession()/1e3)
		fmt.Fprintf(w, "  resident: idle %s, with sessions %s, with routes %s: %.1f bytes a route over an empty start\n",
			megabytes(x.Idle.Resident), megabytes(x.Sessions.Resident), megabytes(x.Settled.Resident), x.perRouteResident())
	}
}

func (r *report) writeChurn(w io.Writer) {
	c := r.Churn
	if c == nil {
		return
	}
	slices.Sort(c.Walls)
	fmt.Fprintf(w, "lookups, nothing else: %v\n", c.Quiet)
	fmt.Fprintf(w, "lookups, %d changes/s and a second feed loading (%d times, %.2f s each): %v\n",
		c.Rate, len(c.Walls), c.Walls[len(c.Walls)/2].Seconds(), c.Loading)
	fmt.Fprintf(w, "lookups, %d changes/s and %.0f routes/s from the second feed: %v\n",
		c.Rate, float64(c.Sent)/floodTime.Seconds(), c.Flood)
}

func (r *report) writeHTTP(w io.Writer) {
	if h := r.HTTP; h != nil {
		fmt.Fprintf(w, "HTTP (%s): p50 %v at 1 connection, %.0f answers/s at %d (p99 %v)\n", h.Client, h.One, h.PerSecond, httpConnections, h.P99)
	}
}

func (r *report) writeWithdraw(w io.Writer) {
	if d := r.Withdraw; d != nil {
		fmt.Fprintf(w, "a feed ends: swept %.2f s after its stale time; lookups meanwhile %v; settled %s with it, %s %.0f s after, %s before it: %.0f %% given back\n",
			d.SweptIn.Seconds(), d.Sweep, megabytes(d.TwoFeeds), megabytes(d.After), d.Waited.Seconds(), megabytes(d.OneFeed), 100*d.GivenBack)
	}
}

func (r *report) writeLoads(w io.Writer) {
	if r.BIRD == nil && r.Ribglass == nil {
		return
	}
	fmt.Fprintln(w, "receiver\tfeeds\troutes\tfirst feed\tprocessor\tpeak\tsettled\tbytes/route\teach further feed\t")
	for _, l := range []*loads{r.Ribglass, r.Forgetful, r.BIRD} {
		if l == nil {
			continue
		}
		further := "-"
		if n, ok := l.furtherFeed(); ok {
			further = fmt.Sprintf("%.1f MB", float64(n)/1e6)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%.2f s\t%.2f s\t%s\t%s\t%.1f\t%s\t\n", l.Receiver, len(l.Loads), l.Routes,
			l.Loads[0].Wall.Seconds(), l.CPU.Seconds(), megabytes(l.Peak), megabytes(l.Settled), l.bytesPerRoute(), further)
	}
	writeRatio(w, "ratio to BIRD", r.Ribglass, r.BIRD)
	writeRatio(w, "ratio to without history", r.Ribglass, r.Forgetful)
}

func writeRatio(w io.Writer, name string, a, b *loads) {
	if a == nil || b == nil {
		return
	}
	fmt.Fprintf(w, "%s\t\t\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\t\n", name,
		ratio(a.Loads[0].Wall, b.Loads[0].Wall), ratio(a.CPU, b.CPU), ratio(a.Peak, b.Peak),
		ratio(a.Settled, b.Settled), a.bytesPerRoute()/b.bytesPerRoute())
}

// writeRestart says what it takes to go on where a killed program ended.
func (r *report) writeRestart(w io.Writer) {
	if r.Ribglass == nil || r.Ribglass.Restart == nil {
		return
	}
	a := r.Ribglass.Restart
	fmt.Fprintf(w, "killed and started again: listens after %.2f s, all routes after %.2f s (%.2f s of processor time, peak %s, file %s); first search in the past %.2f s\n",
		a.Listens.Seconds(), a.Whole.Seconds(), a.CPU.Seconds(), megabytes(a.Peak), megabytes(uint64(a.File)), a.FirstPast.Seconds())
}

func ratio[T ~int64 | ~uint64](a, b T) float64 { return float64(a) / float64(max(b, 1)) }

func megabytes(n uint64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
