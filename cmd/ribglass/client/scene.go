package client

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/terminal"
	"ribglass/httpapi/answer"
	"ribglass/ribstore/query"
)

// scene is where a command looks: at a moment, and in a collection.
type scene struct {
	at         momentFlag
	collection string
}

func (s *scene) flags(c *cobra.Command) {
	c.Flags().Var(&s.at, "at", "the `moment` to look at: 2026-11-22T03:12Z, or how long ago, such as 15m or 2d")
	collectionFlag(c, &s.collection)
}

func collectionFlag(c *cobra.Command, name *string) {
	c.Flags().StringVar(name, "collection", "", "look in the collection of this `name`, not in what the routers sent")
	// The only error of registering is a flag that does not exist.
	_ = c.RegisterFlagCompletionFunc("collection", completeCollections)
}

// set puts the scene into the parameters of a question.
func (s *scene) set(values url.Values) {
	if s.at != "" {
		values.Set("at", string(s.at))
	}
	if s.collection != "" {
		values.Set("collection", s.collection)
	}
}

// momentFlag is a flag's value that is a moment.
type momentFlag string

// String implements pflag.Value.
func (m *momentFlag) String() string { return string(*m) }

// Type implements pflag.Value.
func (*momentFlag) Type() string { return "moment" }

// Set implements pflag.Value.
func (m *momentFlag) Set(text string) error {
	at, err := query.ParseMoment(text)
	if err == nil {
		*m = momentFlag(at.String())
	}
	return err
}

// printMoment tells the moment that an answer about another one than now is
// true for.
func printMoment(w io.Writer, a *answer.Moment, past bool) error {
	var b strings.Builder
	if past {
		fmt.Fprintf(&b, "as of %s", moment(a.At))
		if !a.Requested.IsZero() {
			fmt.Fprintf(&b, "; nothing later is known of %s", moment(a.Requested))
		}
		b.WriteByte('\n')
	}
	writeNotices(&b, a.Notices)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeNotices(b *strings.Builder, notices []string) {
	for _, n := range notices {
		fmt.Fprintf(b, "note: %s\n", terminal.Clean(n))
	}
}

// moment prints a time for people, to the millisecond, and where it has microseconds
// with these.
func moment(t time.Time) string {
	layout := "2006-01-02T15:04:05.000Z"
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		layout = "2006-01-02T15:04:05.000000Z" // imported times have microseconds
	}
	return t.UTC().Format(layout)
}
