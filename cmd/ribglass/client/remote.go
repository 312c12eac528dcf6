package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/build"
	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/terminal"
	"ribglass/httpapi/answer"
)

// remote asks a running Ribglass over its API.
type remote struct {
	server  string
	timeout time.Duration
	format  string
}

// The forms in which answers are printed.
const (
	formatTable  = "table"
	formatJSON   = "json"
	formatNDJSON = "ndjson"
	formatCSV    = "csv"
)

// choice is a flag's value that is one of some words.
type choice struct {
	value *string
	have  []string
}

// String implements pflag.Value.
func (c choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

// Type implements pflag.Value.
func (choice) Type() string { return "format" }

// Set implements pflag.Value.
func (c choice) Set(text string) error {
	if !slices.Contains(c.have, text) {
		return fmt.Errorf("have %s", strings.Join(c.have, ", "))
	}
	*c.value = text
	return nil
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 256 << 20

// flags adds the flags that every asking command has. It prints a table, JSON,
// or one of the further formats.
func (cl *remote) flags(c *cobra.Command, further ...string) {
	cl.serverFlags(c)
	cl.formatFlag(c, append([]string{formatTable, formatJSON}, further...))
}

// defaultServer returns the server that is asked when no flag names one.
func defaultServer() string { return cmp.Or(os.Getenv("RIBGLASS_SERVER"), "http://localhost:8080") }

func (cl *remote) serverFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&cl.server, "server", defaultServer(),
		"URL of the Ribglass to ask (environment: RIBGLASS_SERVER)")
	f.DurationVar(&cl.timeout, "timeout", 10*time.Second, "how long to wait for the answer")
}

// formatFlag adds the flag that chooses a format; the first is the default.
func (cl *remote) formatFlag(c *cobra.Command, formats []string) {
	cl.format = formats[0]
	c.Flags().Var(choice{&cl.format, formats}, "format", "form of the answer: "+strings.Join(formats, ", "))
	complete(c, "format", formats)
}

// complete has the shell offer the values of a flag.
func complete(c *cobra.Command, flag string, values []string) {
	// The only error of registering is a flag that does not exist.
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// get asks for path and decodes the answer into the value that into points to. It returns the answer's
// bytes too.
func (cl *remote) get(ctx context.Context, path string, query url.Values, into any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cl.timeout)
	defer cancel()
	const accept = "application/json"
	response, err := cl.ask(ctx, path, query, accept)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("ask %s: read the answer: %w", cl.server, err)
	}
	if err := cl.failure(response, accept, body); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, fmt.Errorf("ask %s: understand the answer: %w", cl.server, err)
	}
	return body, nil
}

// ask sends the question for path. The answer, which may be a refusal, is the
// caller's to close.
func (cl *remote) ask(ctx context.Context, path string, query url.Values, accept string) (*http.Response, error) {
	target, err := cl.url(path, query)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, exit.UsageError{Err: err}
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("User-Agent", "ribglass/"+build.Version())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, cl.unreached(err, "--server or RIBGLASS_SERVER")
	}
	return response, nil
}

// stream copies the answer for path to w as it comes, and returns how many
// lines it had. The timeout bounds how long the answer may take to begin, not how
// long it is.
func (cl *remote) stream(ctx context.Context, path string, query url.Values, accept string, w io.Writer) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	waiting := time.AfterFunc(cl.timeout, func() { cancel(context.DeadlineExceeded) })
	defer waiting.Stop()
	response, err := cl.ask(ctx, path, query, accept)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if waiting.Stop(); response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		return 0, cl.failure(response, accept, body)
	}
	if err := cl.failure(response, accept, nil); err != nil {
		return 0, err
	}
	lines := &lineCounter{out: w}
	if _, err := io.Copy(lines, response.Body); err != nil {
		return lines.n, fmt.Errorf("ask %s: the answer ends early: %w", cl.server, err)
	}
	return lines.n, nil
}

// lineCounter counts the lines that pass through it.
type lineCounter struct {
	out io.Writer
	n   int
}

// Write implements io.Writer.
func (c *lineCounter) Write(b []byte) (int, error) {
	c.n += bytes.Count(b, []byte{'\n'})
	return c.out.Write(b)
}

// url returns the address of path at the server, which may be given without
// its scheme.
func (cl *remote) url(path string, query url.Values) (string, error) {
	server := cl.server
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", exit.UsageError{Err: fmt.Errorf("--server %q is not a URL such as http://lg.example.net:8080", cl.server)}
	}
	u = u.JoinPath(path)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// unreached says that there was no answer, and how to ask another server when there seems
// to be none.
func (cl *remote) unreached(err error, another string) error {
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // the outermost error only: the server is named already
		err = e.Err
	}
	if _, unknown := errors.AsType[*net.DNSError](err); unknown || errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("ask %s: %w: is Ribglass running there? %s names another", cl.server, err, another)
	}
	return fmt.Errorf("ask %s: %w", cl.server, err)
}

// textOf returns a problem for people, its hint indented below.
func textOf(p *answer.Problem) string {
	lines := []string{terminal.Clean(p.Title)}
	if p.Detail != "" {
		lines[0] += ": " + terminal.Clean(p.Detail)
	}
	for line := range strings.Lines(p.Hint) {
		lines = append(lines, "    "+terminal.Clean(strings.TrimRight(line, "\n")))
	}
	return strings.Join(lines, "\n")
}

// failure returns what an answer that is not the one wanted says.
func (cl *remote) failure(response *http.Response, want string, body []byte) error {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if kind == answer.ProblemType {
		var p answer.Problem
		if json.Unmarshal(body, &p) == nil && p.Title != "" {
			said := fmt.Errorf("%s says: %s", cl.server, textOf(&p))
			if response.StatusCode == http.StatusBadRequest {
				return exit.QuestionError{Err: said}
			}
			return said
		}
	}
	if response.StatusCode != http.StatusOK || kind != want {
		return fmt.Errorf("%s does not answer as a Ribglass does: %s, %s", cl.server, response.Status, cmp.Or(kind, "no type"))
	}
	return nil
}

// age says how long ago t was, in the two largest units.
func age(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "-"
	case d < 0:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// print writes an answer: its bytes when JSON is wanted, else what table writes.
func (cl *remote) print(w io.Writer, body []byte, table func(io.Writer) error) error {
	if cl.format == formatTable {
		return table(w)
	}
	_, err := w.Write(body)
	return err
}

// writeTable writes rows with their columns aligned.
func writeTable(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = terminal.Clean(cell)
		}
		if _, err := io.WriteString(t, strings.Join(row, "\t")+"\n"); err != nil {
			return err
		}
	}
	return t.Flush()
}
