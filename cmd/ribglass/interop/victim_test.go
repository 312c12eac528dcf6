package interop

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	api "github.com/osrg/gobgp/v3/api"
	"github.com/osrg/gobgp/v3/pkg/server"
)

// victimEnv makes the test binary run a bare GoBGP, the library that Ribglass
// embeds, without the session splitter before it. It holds the port and the AS
// numbers of the victim and its peer, as "port peer-address own-as peer-as
// confederation".
const victimEnv = "RIBGLASS_INTEROP_VICTIM"

// serveVictim runs until it is killed, or dies of what it receives.
func serveVictim(settings string) error {
	f := strings.Fields(settings)
	number := func(i int) uint32 {
		n, err := strconv.ParseUint(f[i], 10, 32)
		if err != nil {
			panic(err)
		}
		return uint32(n)
	}
	s := server.NewBgpServer()
	go s.Serve()
	global := &api.Global{Asn: number(2), RouterId: "192.0.2.10", ListenPort: int32(number(0)), ListenAddresses: []string{"127.0.0.1"}}
	if f[4] == "confederation" {
		global.Confederation = &api.Confederation{Enabled: true, Identifier: 64999, MemberAsList: []uint32{number(3)}}
	}
	ctx := context.Background()
	if err := s.StartBgp(ctx, &api.StartBgpRequest{Global: global}); err != nil {
		return err
	}
	family := func(afi api.Family_Afi, safi api.Family_Safi) *api.AfiSafi {
		return &api.AfiSafi{Config: &api.AfiSafiConfig{Family: &api.Family{Afi: afi, Safi: safi}, Enabled: true}}
	}
	peer := &api.Peer{
		Conf:      &api.PeerConf{NeighborAddress: f[1], PeerAsn: number(3)},
		Transport: &api.Transport{PassiveMode: true, LocalAddress: "127.0.0.1"},
		AfiSafis: []*api.AfiSafi{
			family(api.Family_AFI_IP, api.Family_SAFI_UNICAST), family(api.Family_AFI_IP6, api.Family_SAFI_UNICAST),
		},
	}
	if err := s.AddPeer(ctx, &api.AddPeerRequest{Peer: peer}); err != nil {
		return err
	}
	select {}
}

// kills reports whether a message ends a bare GoBGP that has a session with the
// speaker, or makes it hang.
func kills(t *testing.T, cfg speakerConfig, m []byte, confederation bool) (dead bool, log string) {
	t.Helper()
	dir, port := workDir(t), freePort(t, "127.0.0.1")
	kind := "plain"
	if confederation {
		kind = "confederation"
	}
	p := startProcess(t, dir, "/usr/bin/env",
		fmt.Sprintf("%s=%d %s %d %d %s", victimEnv, port, cfg.local, glassASN, cfg.asn, kind), selfPath(t))
	at := loopback(port)
	s := dial(t, cfg, at)
	s.send(m)
	// It is dead when its process ends, or when it does not hear of the end of
	// the session any more.
	_ = s.write(frame(msgNotification, []byte{6, 2})) // may be dead already
	select {
	case <-p.exited:
		return true, string(p.tail())
	case <-s.gone:
	case <-time.After(8 * time.Second):
		return true, "it hangs"
	}
	return p.wait(200 * time.Millisecond), string(p.tail())
}

func selfPath(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
