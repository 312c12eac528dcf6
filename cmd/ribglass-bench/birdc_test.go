package main

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What BIRD 2.0.12 said.
const (
	sayGreeting = "0001 BIRD 2.0.12 ready.\n"
	sayCount    = "1007-2 of 2 routes for 2 networks in table master4\n 1 of 1 routes for 1 networks in table master6\n" +
		"0014 Total: 3 of 3 routes for 3 networks in 2 tables\n"
	sayRoute    = "1007-Table master4:\n 10.1.0.0/16          unreachable [feed1 19:40:45.411] * (200)\n0000 \n"
	sayNotFound = "8001 Network not found\n"
	saySyntax   = "9001 syntax error, unexpected CF_SYM_UNDEFINED\n"
)

// controlled returns a control connection to a BIRD that greets and then gives
// one answer.
func controlled(t *testing.T, answer string) *birdControl {
	t.Helper()
	path := t.TempDir() + "/ctl"
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, failure := l.Accept()
		if failure != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, sayGreeting)
		_, _ = conn.Read(make([]byte, 100))
		_, _ = io.WriteString(conn, answer)
	}()
	c, err := dialBird(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.close()
		_ = l.Close()
		<-done
	})
	return c
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestBirdCounts(t *testing.T) {
	got, err := bird{controlled(t, sayCount)}.counts(within(t))
	if err != nil || got != [4]int{2, 1, 0, 0} {
		t.Errorf("counts = %v, %v, want 2 and 1", got, err)
	}
}

func TestBirdAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, feed, reply string
		want, fails       bool
	}{
		{name: "a route of the feed", feed: "feed1", reply: sayRoute, want: true},
		{name: "a route of another feed", feed: "feed2", reply: "0000 \n"},
		{name: "no such network", feed: "feed1", reply: sayNotFound},
		{name: "a command BIRD does not know", feed: "feed1", reply: saySyntax, fails: true},
		{name: "a closed socket", feed: "feed1", reply: "", fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := testTable().prefixes[0]
			got, err := bird{controlled(t, tt.reply)}.answers(within(t), feed{name: tt.feed}, p)
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("answers = %v, %v, want %v, failure %v", got, err, tt.want, tt.fails)
			}
		})
	}
}

func TestBirdReplyKeepsCodesOfContinuedLines(t *testing.T) {
	got, err := controlled(t, sayRoute).ask(within(t), "show route")
	if err != nil {
		t.Fatal(err)
	}
	want := []birdLine{
		{1007, "Table master4:"},
		{1007, "10.1.0.0/16          unreachable [feed1 19:40:45.411] * (200)"},
		{0, ""},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(birdLine{})); diff != "" {
		t.Errorf("reply (-want +got):\n%s", diff)
	}
}

func TestParseUsage(t *testing.T) {
	stat := "41 (a (b) c) S 1 41 41 0 -1 4194560 1 0 0 0 123 45 0 0 20 0 1 0 1 1 1\n"
	status := "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n"
	got, err := parseUsage([]byte(stat), []byte(status))
	want := usage{cpu: 1680 * time.Millisecond, peak: 2 << 20, resident: 1 << 20}
	if err != nil || got != want {
		t.Errorf("parseUsage = %+v, %v, want %+v", got, err, want)
	}
	for _, damaged := range []string{"", "41 (x) S 1", "41 x"} {
		if _, err := parseUsage([]byte(damaged), []byte(status)); !errors.Is(err, errStatFormat) {
			t.Errorf("parseUsage(%q) = %v, want %v", damaged, err, errStatFormat)
		}
	}
}

func TestCountOfRoutesInAReply(t *testing.T) {
	for _, row := range []struct {
		name, answer string
		want         int
		fails        bool
	}{
		{"a route", sayRoute, 1, false},
		{"two routes of a prefix", "1007-Table master4:\n 10.1.0.0/16          unreachable [feed1 19:40] * (200)\n                      unicast [feed2 19:40] (200)\n0000 \n", 2, false},
		{"nothing is found", sayNotFound, 0, false},
		{"the filter is wrong", saySyntax, 0, true},
		{"the connection ends", "1007-Table master4:\n", 0, true},
	} {
		got, err := controlled(t, row.answer).count(t.Context(), "show route where true")
		if got != row.want || (err != nil) != row.fails {
			t.Errorf("%s: %d, %v, want %d, failure %v", row.name, got, err, row.want, row.fails)
		}
	}
}
