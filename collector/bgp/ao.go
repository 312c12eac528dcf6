package bgp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"ribglass/collector"
	"ribglass/setting"
)

// AOKey is a key of TCP-AO, a master key tuple of RFC 5925. It is a comparable value.
type AOKey struct {
	SendID    int              `yaml:"send_id"`   // the KeyID of segments that this side sends
	RecvID    int              `yaml:"recv_id"`   // the KeyID of segments that the peer sends
	Algorithm string           `yaml:"algorithm"` // as the kernel names it; empty: DefaultAOAlgorithm
	KeyFile   string           `yaml:"key_file"`
	Key       collector.Secret `yaml:"-"` // what is in KeyFile
}

// DefaultAOAlgorithm is HMAC-SHA-1-96 (RFC 5926), which every implementation has.
const DefaultAOAlgorithm = "hmac(sha1)"

// maxAOKey is what the kernel takes as a key of TCP-AO, in octets.
const maxAOKey = 80

func aoAlgorithms() []string { return []string{DefaultAOAlgorithm, "cmac(aes128)", "hmac(sha256)"} }

func (k AOKey) algorithm() string {
	if k.Algorithm == "" {
		return DefaultAOAlgorithm
	}
	return k.Algorithm
}

var (
	errNoAO    = errors.New("this kernel has no TCP-AO (RFC 5925): it is in Linux since 6.7, where it was built with CONFIG_TCP_AO")
	errUnkeyed = errors.New("the connection is not signed by TCP-AO")
)

// validateAO checks the keys of TCP-AO.
func (s Settings) validateAO(at string) error {
	if len(s.TCPAO) > 0 && s.Password != "" {
		return setting.Errorf(at+"tcp_ao", "excludes password_file and password_env: a connection has TCP-AO or TCP-MD5, not both")
	}
	for i, k := range s.TCPAO {
		key := fmt.Sprintf("%stcp_ao[%d].", at, i)
		switch {
		case k.SendID < 0 || k.SendID > 255:
			return setting.Errorf(key+"send_id", "%d: 0 to 255", k.SendID)
		case k.RecvID < 0 || k.RecvID > 255:
			return setting.Errorf(key+"recv_id", "%d: 0 to 255", k.RecvID)
		case !slices.Contains(aoAlgorithms(), k.algorithm()):
			return setting.Errorf(key+"algorithm", "%q: one of %q", k.Algorithm, aoAlgorithms())
		case len(k.Key) > maxAOKey:
			return setting.Errorf(key+"key_file", "a TCP-AO key has at most %d octets", maxAOKey)
		}
		for j, other := range s.TCPAO[:i] {
			if k.SendID == other.SendID || k.RecvID == other.RecvID {
				return setting.Errorf(key+"send_id", "tcp_ao[%d] has the send_id or recv_id too: each key has its own", j)
			}
		}
	}
	return nil
}

// aoPlace is where the kernel keeps a key of TCP-AO.
type aoPlace struct {
	peers          netip.Prefix
	sendID, recvID int
}

// aoKeys returns the TCP-AO keys of a configuration by where the kernel keeps them.
func (c Config) aoKeys() map[aoPlace]AOKey {
	keys := make(map[aoPlace]AOKey)
	put := func(peers netip.Prefix, list []AOKey) {
		for _, k := range list {
			keys[aoPlace{peers, k.SendID, k.RecvID}] = k
		}
	}
	for _, d := range c.DynamicNeighbors {
		put(d.Prefix, d.TCPAO)
	}
	for _, n := range c.Neighbors {
		address := n.Address.Unmap()
		put(netip.PrefixFrom(address, address.BitLen()), n.TCPAO)
	}
	return keys
}

// rekey makes a listener demand the keys of want instead of those of have.
func rekey(l *net.TCPListener, have, want Config) error {
	return errors.Join(setKeys(l, have.keys(), want.keys()), setAOKeys(l, have.aoKeys(), want.aoKeys()))
}

func setAOKeys(l *net.TCPListener, have, want map[aoPlace]AOKey) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	for place, key := range have {
		if want[place] != key && covers(l, place.peers) {
			if err := removeAOKey(raw, place); err != nil {
				return fmt.Errorf("remove a TCP-AO key of %s: %w", place.peers, err)
			}
		}
	}
	for place, key := range want {
		if have[place] != key && covers(l, place.peers) {
			if err := addAOKey(raw, place, key, false); err != nil {
				return fmt.Errorf("set the TCP-AO key of %s: %w", place.peers, err)
			}
		}
	}
	return nil
}

// screenKeys refuses a connection that is not signed by TCP-AO though it should be: the
// kernel lets it through when it took no key, as after a reload that failed.
func (n *neighbor) screenKeys(conn *net.TCPConn) (why refusal, detail string) {
	n.mu.Lock()
	keys := len(n.conf.TCPAO)
	n.mu.Unlock()
	if keys == 0 {
		return "", ""
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		err = demandAO(raw)
	}
	if err != nil {
		return refusedAO, err.Error()
	}
	return "", ""
}
