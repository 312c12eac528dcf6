package client

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// A shell is offered the names that the server of the command line has, and none when it
// does not answer.
func TestNamesAreCompletedFromTheServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(map[string]string{
			"/api/v1/collections": `{"collections":[{"name":"rrc01","begins":"2024-10-01T00:55:00Z","ends":"2024-10-01T00:59:59Z"},{"name":"torn","broken":true}]}`,
			"/api/v1/peers":       `{"peers":[{"name":"edge1","asn":64501}]}`,
		}[r.URL.Path]))
	}))
	defer server.Close()
	for name, row := range map[string]struct {
		server   string
		complete cobra.CompletionFunc
		args     []string
		want     []cobra.Completion
	}{
		"collections": {server.URL, completeCollections, nil, []cobra.Completion{
			"rrc01\t2024-10-01T00:55:00.000Z to 2024-10-01T00:59:59.000Z", "torn\tcannot be opened",
		}},
		"peers":           {server.URL, completePeers, []string{"origin", "64501"}, []cobra.Completion{"edge1\tAS64501"}},
		"a second peer":   {server.URL, completePeer, []string{"edge1"}, nil},
		"no server there": {"http://127.0.0.1:1", completeCollections, nil, nil},
	} {
		c := new(cobra.Command)
		c.SetContext(t.Context())
		c.Flags().String("server", row.server, "")
		got, directive := row.complete(c, row.args, "")
		if diff := cmp.Diff(row.want, got); diff != "" || directive != cobra.ShellCompDirectiveNoFileComp {
			t.Errorf("%s: directive %v (-want +got):\n%s", name, directive, diff)
		}
	}
}
