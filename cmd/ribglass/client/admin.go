package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/terminal"
)

// adminFlags are the flags of a command that the admin listener takes.
func (cl *remote) adminFlags(c *cobra.Command, timeout time.Duration, how string) {
	admin := os.Getenv("RIBGLASS_ADMIN")
	if admin == "" {
		admin = "http://localhost:9090"
	}
	c.Flags().StringVar(&cl.server, "admin", admin, "URL of the admin listener (environment: RIBGLASS_ADMIN)")
	c.Flags().DurationVar(&cl.timeout, "timeout", timeout, how)
}

// command has the admin listener do something, decodes its answer and returns it.
func (cl *remote) command(ctx context.Context, path string, query url.Values, into any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cl.timeout)
	defer cancel()
	target, err := cl.url(path, query)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, http.NoBody)
	if err != nil {
		return nil, exit.UsageError{Err: err}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, cl.unreached(err, "--admin or RIBGLASS_ADMIN")
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("ask %s: read the answer: %w", cl.server, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s says: %s: %s", cl.server, response.Status, terminal.Clean(string(body[:min(len(body), 200)])))
	}
	return body, json.Unmarshal(body, into)
}
