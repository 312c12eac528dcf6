package bgp

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/time/rate"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// TestTheSpeakerGetsNoDataOfANotification: GoBGP gets code and subcode, and nothing
// that a router wrote.
func TestTheSpeakerGetsNoDataOfANotification(t *testing.T) {
	t.Parallel()
	inner, speaker := net.Pipe()
	s := &session{n: &neighbor{}, inner: inner}
	said := &wire.Notification{Code: wire.CodeOpen, Subcode: wire.OpenRoleMismatch, Data: bytes.Repeat([]byte("x"), 4075)}
	read := make(chan []byte)
	go func() {
		got, _ := io.ReadAll(speaker)
		read <- got
	}()
	err := s.notified(said.Append(nil)[wire.HeaderLen:])
	_ = inner.Close()
	want := (&wire.Notification{Code: wire.CodeOpen, Subcode: wire.OpenRoleMismatch}).Append(nil)
	if got := <-read; !bytes.Equal(got, want) {
		t.Errorf("the speaker gets %x, want %x", got, want)
	}
	if !strings.Contains(err.Error(), "Role Mismatch: \"xxx") {
		t.Errorf("the session ends with %q, want what the peer said", err)
	}
}

// TestSessionsLeaveNoGoroutineInTheSpeaker: it does not run in parallel with others,
// whose goroutines it would count.
func TestSessionsLeaveNoGoroutineInTheSpeaker(t *testing.T) {
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	b.neighbor("edge1").connect.SetLimit(rate.Inf)
	eventually(t, "sessions of other tests are over", func() bool { return channelsOfSpeaker() == 0 })
	for range 100 {
		r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
		_ = r.conn.Close()
		b.waitState("edge1", route.StateActive)
	}
	eventually(t, "no channel is left", func() bool { return channelsOfSpeaker() == 0 })
}

// channelsOfSpeaker counts the goroutines of channels that GoBGP has made.
func channelsOfSpeaker() int {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return bytes.Count(stacks, []byte("(*InfiniteChannel).infiniteBuffer("))
}
