package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/outfile"
	"ribglass/cmd/ribglass/terminal"
)

const formatMRT = "mrt"

// export is one run of `ribglass export`.
type export struct {
	remote
	scene

	text    string
	between string
	file    string
}

func exportCommand() *cobra.Command {
	var e export
	c := &cobra.Command{
		Use:   "export ['QUERY'] -o FILE",
		Short: "Write routes or changes to a file that other programs read",
		Long: `Export asks a running Ribglass for the complete answer to a query, every route
without one, and writes it to a file: MRT (TABLE_DUMP_V2, which bgpdump and most
tools read), NDJSON or CSV. With --at it is the table of that moment; with a span
(between … and …, or --between) it is what changed, in MRT as BGP4MP_ET.

FILE is there when it is complete: until then what is written goes to another
name beside it, which is removed when the export fails. A file that is there keeps
its mode and owner, a symbolic link stays a link, and a pipe or device is written
as it is. "-" is standard output.

Exit status: 0 written, 1 failed, 2 wrong usage.`,
		Example: `  ribglass export -o table.mrt
  ribglass export --at 2026-11-22T03:12Z -o before.mrt
  ribglass export 'origin 64501' --between 1d/now --format csv -o changes.csv`,
		ValidArgsFunction: completeWords,
		RunE: func(c *cobra.Command, args []string) error {
			if e.file == "" {
				return exit.UsageError{Err: errors.New("--output: want the file to write, or - for standard output")}
			}
			e.text = strings.Join(args, " ")
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return e.run(ctx, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	e.serverFlags(c)
	e.formatFlag(c, []string{formatMRT, formatNDJSON, formatCSV})
	e.scene.flags(c)
	f := c.Flags()
	f.StringVarP(&e.file, "output", "o", "", "`file` to write, - for standard output")
	f.StringVar(&e.between, "between", "", "the `span` whose changes are written, as two moments: -2h/now")
	return c
}

// mediaType returns what the server calls the format.
func (e *export) mediaType() string {
	switch e.format {
	case formatNDJSON:
		return "application/x-ndjson"
	case formatCSV:
		return "text/csv"
	}
	return "application/octet-stream"
}

func (e *export) run(ctx context.Context, out, notes io.Writer) error {
	values := url.Values{"q": {e.text}, "format": {e.format}}
	if e.between != "" {
		values.Set("between", e.between)
	}
	e.set(values)
	line := terminal.NewProgress(notes)
	defer line.End()
	write := func(w io.Writer) error {
		_, err := e.stream(ctx, "/api/v1/export", values, e.mediaType(), &meter{out: w, line: line})
		return err
	}
	var err error
	if e.file == "-" {
		err = write(out)
	} else {
		err = outfile.Write(ctx, e.file, write)
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted: what was written is not complete")
	}
	return err
}

// meter tells how much passes through it.
type meter struct {
	out  io.Writer
	line *terminal.Progress
	n    int64
}

// Write implements io.Writer.
func (m *meter) Write(b []byte) (int, error) {
	n, err := m.out.Write(b)
	m.n += int64(n)
	m.line.Draw(func(elapsed time.Duration) string {
		return fmt.Sprintf("%s written, %s a second", terminal.Amount(m.n), terminal.Amount(int64(float64(m.n)/max(elapsed.Seconds(), 0.001))))
	})
	return n, err
}
