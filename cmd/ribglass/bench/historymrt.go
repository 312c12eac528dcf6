package bench

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"ribglass/collector/wire/mrt"
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
	dump, err := exec.LookPath("bgpdump")
	if err != nil {
		fmt.Fprintln(progress, "  bgpdump is not installed")
		return nil //nolint:nilerr // said
	}
	m.Bgpdump, m.DumpWall, err = timed(exec.CommandContext(ctx, dump, "-m", file)) //nolint:gosec // the bgpdump of the user's own PATH
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

// writeMRT writes a table in order.
func writeMRT(ctx context.Context, to io.Writer, t *rib.Table, at time.Time) error {
	w := mrt.NewWriter(to)
	var peers []mrt.Peer
	index := make(map[string]int)
	for _, p := range t.Peers() {
		index[p.Peer.Name] = len(peers)
		peers = append(peers, mrt.Peer{RouterID: p.Peer.RouterID, Address: p.Peer.Address, ASN: p.Peer.ASN})
	}
	if err := w.PeerIndex(netip.MustParseAddr("192.0.2.10"), "", peers, at); err != nil {
		return err
	}
	row := mrt.Row{Time: at}
	write := func() error {
		if len(row.Routes) == 0 {
			return nil
		}
		return w.RIB(&row)
	}
	err := query.Stream(ctx, query.Known{Table: t, At: at}, query.Query{}, func(routes []route.Route) error {
		for i := range routes {
			r := &routes[i]
			if r.Prefix != row.Prefix || r.Family != row.Family {
				if err := write(); err != nil {
					return err
				}
				row.Prefix, row.Family, row.Routes = r.Prefix, r.Family, row.Routes[:0]
			}
			row.Routes = append(row.Routes, mrt.Route{Peer: index[r.Peer.Name], Originated: r.ReceivedAt, Attrs: r.Attrs})
		}
		return nil
	})
	return errors.Join(err, write())
}
