package bgp

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"ribglass/ribstore/route"
)

// netstat is where Linux counts segments that TCP-MD5 refused, of the whole network
// namespace.
const netstat = "/proc/net/netstat"

// md5Watch looks at the kernel's counters of TCP-MD5. A segment that they count is
// dropped without a word, so that a router with a wrong key is never heard of. The
// zero value has not looked yet. Its methods may be called concurrently.
type md5Watch struct {
	mu    sync.Mutex // guards what follows
	last  route.MD5Errors
	known bool
	rose  [3]time.Time // when missing, unexpected, wrong rose last
}

// look reads the counters.
func (w *md5Watch) look(now time.Time, read func() (route.MD5Errors, bool)) {
	errs, ok := read()
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known {
		for i, rose := range []bool{errs.Missing > w.last.Missing, errs.Unexpected > w.last.Unexpected, errs.Wrong > w.last.Wrong} {
			if rose {
				w.rose[i] = now
			}
		}
	}
	w.last, w.known = errs, true
}

func (w *md5Watch) errors() route.MD5Errors {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// hint says what may be wrong with a neighbor that waits for a connection since a
// time, "" when nothing speaks for TCP-MD5.
func (w *md5Watch) hint(password bool, since time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	after := func(i int) bool { return w.rose[i].After(since) }
	switch {
	case password && after(2):
		return fmt.Sprintf("the kernel has dropped segments with a wrong TCP-MD5 key (TCPMD5Failure: %d); compare the password with that of the router", w.last.Wrong)
	case password && after(0):
		return fmt.Sprintf("the kernel has dropped segments without TCP-MD5 where a key is configured (TCPMD5NotFound: %d); is the password set on the router?", w.last.Missing)
	case !password && after(1):
		return fmt.Sprintf("the kernel has dropped segments with TCP-MD5 where no key is configured (TCPMD5Unexpected: %d); set password_file here, or remove the password of the router", w.last.Unexpected)
	}
	return ""
}

// readMD5 reads the counters of this network namespace. It reports false where there
// are none.
func readMD5() (route.MD5Errors, bool) {
	b, err := os.ReadFile(netstat)
	if err != nil {
		return route.MD5Errors{}, false
	}
	return parseMD5(b)
}

// parseMD5 finds the counters: the file has two lines for each group, names and values.
func parseMD5(b []byte) (errs route.MD5Errors, ok bool) {
	var names [][]byte
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || string(fields[0]) != "TcpExt:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		value := func(name string) uint64 {
			at := slices.IndexFunc(names, func(n []byte) bool { return string(n) == name })
			if at < 0 || at >= len(fields) {
				return 0
			}
			n, _ := strconv.ParseUint(string(fields[at]), 10, 64)
			return n
		}
		return route.MD5Errors{
			Missing: value("TCPMD5NotFound"), Unexpected: value("TCPMD5Unexpected"), Wrong: value("TCPMD5Failure"),
		}, true
	}
	return errs, false
}

// MD5Errors returns how many segments the kernel has dropped because of TCP-MD5.
func (c *Collector) MD5Errors() route.MD5Errors { return c.md5.errors() }

// watchMD5 looks at the counters, and notes at neighbors without a session that TCP-MD5
// may be why no connection arrives.
func (c *Collector) watchMD5(list []*neighbor) {
	c.md5.look(c.deps.Now(), c.readMD5)
	for _, n := range list {
		since, password, waits := n.waitsForConnection()
		if !waits {
			n.withdrawNotice(noticeMD5)
			continue
		}
		if hint := c.md5.hint(password, since); hint != "" {
			text := fmt.Sprintf("No connection has arrived since %s, and %s.", since.UTC().Format(time.RFC3339), hint)
			if n.notice(noticeMD5, text, 0, c.deps.Now()) {
				n.log.Warn("no connection arrives, perhaps because of TCP-MD5", "since", since, "hint", hint)
			}
		}
	}
}

// waitsForConnection tells since when no connection of the neighbor has arrived, whether
// it has a password, and whether it waits for a connection at all.
func (n *neighbor) waitsForConnection() (since time.Time, password, waits bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	since = n.since
	if n.connected.After(since) {
		since = n.connected
	}
	return since, n.conf.Password != "", n.state == route.StateActive && n.current == nil && n.rule == nil
}
