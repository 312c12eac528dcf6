package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"ribglass/cmd/ribglass/dump"
	"ribglass/collector/wire/mrt"
	"ribglass/ribstore"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	rib "ribglass/ribstore/table"
)

// mrtRates is how fast a table is read from MRT.
type mrtRates struct {
	Routes    int           `json:"routes"`
	Octets    int64         `json:"bytes"`
	Read      time.Duration `json:"read_cpu_ns"` // into batches
	ReadWall  time.Duration `json:"read_wall_ns"`
	Bgpdump   time.Duration `json:"bgpdump_cpu_ns,omitempty"`
	DumpWall  time.Duration `json:"bgpdump_wall_ns,omitempty"`
	Import    time.Duration `json:"import_cpu_ns,omitempty"` // ribglass import
	ImportAll time.Duration `json:"import_wall_ns,omitempty"`
}

// measureMRT writes the table as MRT and reads it.
func (o *options) measureMRT(ctx context.Context, t table, known []*announced, path string, h *pasts, progress io.Writer) error {
	fmt.Fprintln(progress, "history: MRT")
	file := o.file
	if file == "" {
		file = path
		if err := writeTable(ctx, plainTable(t, known), path); err != nil {
			return err
		}
	}
	m := mrtRates{}
	h.Exchange = &m
	if err := m.read(file); err != nil {
		return err
	}
	fmt.Fprintf(progress, "  %d routes: %.2f s of processor time\n", m.Routes, m.Read.Seconds())
	if err := o.importMRT(ctx, &m, file, filepath.Dir(path), progress); err != nil {
		return err
	}
	program, err := exec.LookPath("bgpdump")
	if err != nil {
		fmt.Fprintln(progress, "  bgpdump is not installed")
		return nil //nolint:nilerr // said
	}
	m.Bgpdump, m.DumpWall, err = timed(exec.CommandContext(ctx, program, "-m", file)) //nolint:gosec // the bgpdump of the user's own PATH
	if err == nil {
		fmt.Fprintf(progress, "  bgpdump: %.2f s, %.2f s of processor time\n", m.DumpWall.Seconds(), m.Bgpdump.Seconds())
	}
	return err
}

// read reads a file as an import does.
func (m *mrtRates) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		m.Octets = info.Size()
	}
	start, before := time.Now(), selfCPU()
	s, err := mrt.NewSource(f, mrt.SourceOptions{})
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		b, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		b.Release()
	}
	m.ReadWall, m.Read = time.Since(start), selfCPU()-before
	m.Routes = s.Report().Announcements
	return nil
}

// importMRT has the program make a collection of the file.
func (o *options) importMRT(ctx context.Context, m *mrtRates, file, dir string, progress io.Writer) error {
	setup, err := o.setup(nil)
	if err != nil {
		return err
	}
	//nolint:gosec // our own binary
	c := exec.CommandContext(ctx, setup.binary, "import", "--collection", "bench", "--data-dir", dir, file)
	c.Env = cleanEnvironment(os.Environ())
	if m.Import, m.ImportAll, err = timed(c); err != nil {
		return err
	}
	fmt.Fprintf(progress, "  imported in %.2f s, %.2f s of processor time\n", m.ImportAll.Seconds(), m.Import.Seconds())
	return nil
}

// timed runs a program whose output nobody reads.
func timed(c *exec.Cmd) (cpu, wall time.Duration, err error) {
	start := time.Now()
	if err := c.Run(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", c.Path, err)
	}
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime(), time.Since(start), nil
}

// plainTable is the table of all feeds, without a history.
func plainTable(t table, known []*announced) *rib.Table {
	plain := rib.New()
	for i, f := range t.feeds() {
		b := route.Batch{Peer: peerOf(f), At: dayZero(), Event: route.PeerUp}
		plain.Apply(&b)
		b.Event = route.Routes
		for _, u := range known[i].runs {
			b.Updates = []route.Update{u}
			plain.Apply(&b)
		}
	}
	return plain
}

func writeTable(ctx context.Context, t *rib.Table, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := writeMRT(ctx, w, t, dayZero()); err != nil {
		return err
	}
	return errors.Join(w.Flush(), f.Close())
}

// counting counts what is written.
type counting struct{ octets int64 }

func (c *counting) Write(b []byte) (int, error) {
	c.octets += int64(len(b))
	return len(b), nil
}

// gzippedMRT returns how large a table is as MRT, compressed as gzip does.
func gzippedMRT(ctx context.Context, t *rib.Table, at time.Time) (int64, error) {
	var size counting
	z, err := gzip.NewWriterLevel(&size, 6)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(z, 1<<20)
	if err := writeMRT(ctx, w, t, at); err != nil {
		return 0, err
	}
	err = errors.Join(w.Flush(), z.Close())
	return size.octets, err
}

// writeMRT writes a table as an export does.
func writeMRT(ctx context.Context, to io.Writer, t *rib.Table, at time.Time) error {
	e := dump.Exporter{Identity: identity, Logger: slog.New(slog.DiscardHandler)}
	return e.Write(ctx, to, frozen{t, at}, query.Query{})
}

func identity() (route.ASN, netip.Addr) { return localASN, netip.MustParseAddr("192.0.2.10") }

// frozen is a table that does not change, as the source of an export.
type frozen struct {
	table *rib.Table
	at    time.Time
}

// PeersAt implements [dump.Source].
func (f frozen) PeersAt(context.Context, query.Moment) (peers []ribstore.PeerStats, when time.Time, notices []string, err error) {
	for _, p := range f.table.Peers() {
		peers = append(peers, ribstore.PeerStats{Peer: p.Peer})
	}
	return peers, f.at, nil, nil
}

// Stream implements [dump.Source].
func (f frozen) Stream(ctx context.Context, q query.Query, yield func([]route.Route) error) error {
	return query.Stream(ctx, query.Known{Table: f.table, At: f.at}, q, yield)
}

// StreamChanges implements [dump.Source]: nothing changes.
func (frozen) StreamChanges(context.Context, query.Query, []changes.Kind, func([]changes.Change) error) error {
	return nil
}
