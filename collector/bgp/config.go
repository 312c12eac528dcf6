package bgp

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ribglass/collector"
	"ribglass/collector/wire"
	"ribglass/ribstore/route"
	"ribglass/setting"
)

// Config says whom the collector peers with. It is a value; the collector keeps
// a copy and never changes it.
type Config struct {
	ASN              route.ASN         `yaml:"asn"`
	RouterID         netip.Addr        `yaml:"router_id"`
	Listen           []netip.AddrPort  `yaml:"listen"`
	Neighbors        []Neighbor        `yaml:"neighbors"`
	DynamicNeighbors []DynamicNeighbor `yaml:"dynamic_neighbors"`
}

// Settings are what neighbors of both kinds share. Where a field does not say
// what zero means, zero takes the value of DefaultSettings.
type Settings struct {
	Group       string           `yaml:"group"`
	Router      string           `yaml:"router"` // empty: the neighbor's name
	Description string           `yaml:"description"`
	Password    collector.Secret `yaml:"-"`            // TCP-MD5 key; empty: none
	TCPAO       []AOKey          `yaml:"tcp_ao"`       // the first is what this side signs with when it connects; empty: none
	TTLSecurity int              `yaml:"ttl_security"` // hops the peer may be away (RFC 5082); zero: off
	Families    []route.Family   `yaml:"families"`
	AddPath     bool             `yaml:"add_path"` // offer to receive several paths a prefix (RFC 7911)

	LocalASN      route.ASN `yaml:"local_asn"`     // the AS number of this side; zero: Config.ASN
	Confederation bool      `yaml:"confederation"` // the peer is in another member AS of our confederation (RFC 5065)
	Role          wire.Role `yaml:"role"`          // of this side (RFC 9234); empty: none is announced
	RoleStrict    bool      `yaml:"role_strict"`   // a peer without a role is refused

	HoldTime    time.Duration `yaml:"hold_time"`
	MinHoldTime time.Duration `yaml:"min_hold_time"` // a peer that offers less is refused, none included; zero: no limit

	MaxPrefixes        int           `yaml:"max_prefixes"`         // of one family; zero: no limit
	MaxAttributeBytes  setting.Size  `yaml:"max_attribute_bytes"`  // of all attribute sets
	MaxAttributeLength setting.Size  `yaml:"max_attribute_length"` // of one attribute; of a longer one length and hash are kept
	MaxPrefixesWarning int           `yaml:"max_prefixes_warning"` // percent of either
	MaxPrefixesRestart time.Duration `yaml:"max_prefixes_restart"` // idle after reaching either; zero: until a reload

	StaleTime    time.Duration `yaml:"stale_time"`     // of routes after a session without graceful restart; zero: removed at once
	MaxStaleTime time.Duration `yaml:"max_stale_time"` // bounds what a peer asks for by (long-lived) graceful restart
	StaleSweep   time.Duration `yaml:"stale_sweep"`    // how long a new session may take until End-of-RIB

	// DemoteRestarting has routes of a peer that restarts gracefully lose to fresh ones,
	// as all stale routes do. Otherwise they are compared as if fresh for the restart
	// time, as in routers.
	DemoteRestarting bool `yaml:"demote_restarting"`
}

// Neighbor is a router. Several may have one address when what else is known of them
// tells them apart.
type Neighbor struct {
	Name     string     `yaml:"name"`    // of letters, digits and . _ : -; empty: the address
	Address  netip.Addr `yaml:"address"` // with its zone when it is link-local
	ASN      route.ASN  `yaml:"asn"`
	RouterID netip.Addr `yaml:"router_id"` // the peer must have it; zero: any
	Shutdown string     `yaml:"shutdown"`  // not empty: kept down, and the peer is told this (RFC 9003)
	Dialing  `yaml:",inline"`
	Settings `yaml:",inline"`
}

// DynamicNeighbor accepts every router of a prefix as a neighbor of its own,
// which is named after its group and address.
type DynamicNeighbor struct {
	Prefix      netip.Prefix `yaml:"prefix"`
	Interface   string       `yaml:"interface"`    // that peers are on; for prefixes in fe80::/10 only
	ASNs        []route.ASN  `yaml:"asn"`          // the peer must be one of these; empty: any
	MaxSessions int          `yaml:"max_sessions"` // neighbors at one time; zero: 1000
	Settings    `yaml:",inline"`
}

// Defaults of dynamic neighbors. Their routers are not known by name, so that what
// they ask for by graceful restart is kept for a shorter time.
const (
	defaultMaxSessions       = 1000
	defaultDynamicStaleLimit = time.Hour
)

// DefaultConfig returns a Config that listens on port 179 of every address and
// lacks asn, router_id and neighbors.
func DefaultConfig() Config {
	return Config{Listen: []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Unspecified(), 179)}}
}

// DefaultSettings returns the settings of a neighbor whose configuration has none.
func DefaultSettings() Settings {
	return Settings{
		Families:           []route.Family{route.IPv4Unicast, route.IPv6Unicast},
		HoldTime:           90 * time.Second,
		MaxAttributeBytes:  128 << 20,
		MaxAttributeLength: 16 << 10,
		MaxPrefixesWarning: 80,
		MaxPrefixesRestart: 30 * time.Minute,
		StaleTime:          30 * time.Minute,
		MaxStaleTime:       24 * time.Hour,
		StaleSweep:         6 * time.Minute,
	}
}

// withDefaults replaces zeros by the defaults that they stand for.
func (s Settings) withDefaults() Settings {
	d := DefaultSettings()
	if len(s.Families) == 0 {
		s.Families = d.Families
	}
	for _, t := range []struct {
		field *time.Duration
		value time.Duration
	}{{&s.HoldTime, d.HoldTime}, {&s.MaxStaleTime, d.MaxStaleTime}, {&s.StaleSweep, d.StaleSweep}} {
		if *t.field == 0 {
			*t.field = t.value
		}
	}
	if s.MaxAttributeBytes == 0 {
		s.MaxAttributeBytes = d.MaxAttributeBytes
	}
	if s.MaxAttributeLength == 0 {
		s.MaxAttributeLength = d.MaxAttributeLength
	}
	if s.MaxPrefixesWarning == 0 {
		s.MaxPrefixesWarning = d.MaxPrefixesWarning
	}
	return s
}

func (d *DynamicNeighbor) withDefaults() DynamicNeighbor {
	filled := *d
	if d.MaxStaleTime == 0 {
		filled.MaxStaleTime = defaultDynamicStaleLimit
	}
	filled.Settings = filled.Settings.withDefaults()
	return filled
}

// Validate returns a *setting.Error for the first wrong setting, or nil.
func (c Config) Validate() error {
	switch {
	case reservedASN(c.ASN) != "":
		return setting.Errorf("asn", "%s", reservedASN(c.ASN))
	case !c.RouterID.Is4() || c.RouterID.IsUnspecified():
		return setting.Errorf("router_id", "an IPv4 address is wanted")
	case len(c.Listen) == 0:
		return setting.Errorf("listen", "no address to listen on")
	}
	names := make(map[string]int)
	for i, n := range c.Neighbors {
		if err := n.validate(fmt.Sprintf("neighbors[%d].", i), c.ASN); err != nil {
			return err
		}
		name := n.name()
		if j, taken := names[name]; taken {
			return setting.Errorf(fmt.Sprintf("neighbors[%d].name", i), "%q is the name of neighbors[%d] too", name, j)
		}
		names[name] = i
	}
	if err := c.validateShared(); err != nil {
		return err
	}
	return c.validateDynamic()
}

func (c Config) validateDynamic() error {
	prefixes := make(map[ruleKey]int)
	for i := range c.DynamicNeighbors {
		d := &c.DynamicNeighbors[i]
		at := fmt.Sprintf("dynamic_neighbors[%d].", i)
		if err := d.validate(at, c.ASN); err != nil {
			return err
		}
		if j, taken := prefixes[d.key()]; taken {
			return setting.Errorf(at+"prefix", "%s is the prefix of dynamic_neighbors[%d] too", d.Prefix, j)
		}
		prefixes[d.key()] = i
		for j, other := range c.DynamicNeighbors[:i] {
			if d.Prefix == other.Prefix && (d.Password != other.Password || !slices.Equal(d.TCPAO, other.TCPAO)) {
				return setting.Errorf(at+"password_file", "%s is the prefix of dynamic_neighbors[%d] too, and the kernel knows keys by address and not by interface: give both the same key", d.Prefix, j)
			}
		}
		if err := d.validateWithin(c.Neighbors); err != nil {
			return err
		}
	}
	return nil
}

func (d *DynamicNeighbor) validate(at string, local route.ASN) error {
	switch {
	case !d.Prefix.IsValid() || d.Prefix != d.Prefix.Masked() || d.Prefix.Addr().Is4In6():
		return setting.Errorf(at+"prefix", "%s is not a prefix with its host bits zero", d.Prefix)
	case d.MaxSessions < 0:
		return setting.Errorf(at+"max_sessions", "is negative")
	case d.Group != "" && !validName(d.Group):
		return setting.Errorf(at+"group", "%q: its neighbors are named after it: use letters, digits and . _ : -", d.Group)
	}
	for _, n := range d.ASNs {
		if why := reservedASN(n); why != "" {
			return setting.Errorf(at+"asn", "%s", why)
		}
	}
	if err := d.validateInterface(at); err != nil {
		return err
	}
	return d.Settings.validate(at, local, d.ASNs...)
}

// validateWithin checks the neighbors within the prefix. The kernel would demand the
// prefix's password of one without, and take the prefix's TCP-AO keys for any.
func (d *DynamicNeighbor) validateWithin(neighbors []Neighbor) error {
	for j, n := range neighbors {
		at := fmt.Sprintf("neighbors[%d].", j)
		switch {
		case !d.Prefix.Contains(n.Address.Unmap().WithZone("")):
		case d.Password != "" && n.Password == "":
			return setting.Errorf(at+"password_file", "is wanted: %s is in %s, whose neighbors have a password", n.Address, d.Prefix)
		case len(d.TCPAO) > 0:
			return setting.Errorf(at+"address", "%s is in %s, whose neighbors have TCP-AO keys, and the kernel would take those keys for it too: move it out of the prefix", n.Address, d.Prefix)
		}
	}
	return nil
}

func (n Neighbor) validate(at string, local route.ASN) error {
	if err := validateAddress(at+"address", n.Address.Unmap()); err != nil {
		return err
	}
	switch {
	case !validName(n.name()):
		return setting.Errorf(at+"name", "%q: use letters, digits and . _ : -", n.Name)
	case reservedASN(n.ASN) != "":
		return setting.Errorf(at+"asn", "%s", reservedASN(n.ASN))
	case n.RouterID.IsValid() && (!n.RouterID.Is4() || n.RouterID.IsUnspecified()):
		return setting.Errorf(at+"router_id", "%s: an IPv4 address is wanted, the BGP identifier that the router says", n.RouterID)
	}
	if err := n.validateDialing(at); err != nil {
		return err
	}
	return n.Settings.validate(at, local, n.ASN)
}

func (n Neighbor) name() string {
	if n.Name != "" {
		return n.Name
	}
	return addressName(n.Address)
}

// validate checks the settings of neighbors in the AS numbers peers, or in any where
// there are none; local is the AS number of Config.
func (s Settings) validate(at string, local route.ASN, peers ...route.ASN) error {
	s = s.withDefaults()
	switch {
	case len(s.Password) > maxPassword:
		return setting.Errorf(at+"password_file", "a TCP-MD5 key has at most %d octets", maxPassword)
	case s.TTLSecurity < 0 || s.TTLSecurity > 254:
		return setting.Errorf(at+"ttl_security", "%d: 0 (off) to 254 hops", s.TTLSecurity)
	case s.MaxPrefixes < 0:
		return setting.Errorf(at+"max_prefixes", "is negative")
	case s.MaxAttributeBytes < minAttributeBytes:
		return setting.Errorf(at+"max_attribute_bytes", "%s: at least %s", s.MaxAttributeBytes, setting.Size(minAttributeBytes))
	case s.MaxAttributeLength < wire.MaxLen || s.MaxAttributeLength > wire.MaxExtendedLen+1:
		return setting.Errorf(at+"max_attribute_length", "%s: from 4KiB, the longest ordinary message, to 64KiB, the longest of all", s.MaxAttributeLength)
	case s.MaxPrefixesWarning < 1 || s.MaxPrefixesWarning > 100:
		return setting.Errorf(at+"max_prefixes_warning", "%d: 1 to 100 percent", s.MaxPrefixesWarning)
	}
	for i, f := range s.Families {
		if f >= route.NumFamilies {
			return setting.Errorf(fmt.Sprintf("%sfamilies[%d]", at, i), "unknown family")
		}
	}
	if err := s.validateAO(at); err != nil {
		return err
	}
	if err := s.validateAS(at, local, peers...); err != nil {
		return err
	}
	return s.validateTimes(at)
}

func (s Settings) validateTimes(at string) error {
	switch {
	case s.HoldTime < 3*time.Second || s.HoldTime > 65535*time.Second || s.HoldTime%time.Second != 0:
		return setting.Errorf(at+"hold_time", "%s: whole seconds from 3s to 65535s", s.HoldTime)
	case s.MinHoldTime < 0 || s.MinHoldTime > s.HoldTime:
		return setting.Errorf(at+"min_hold_time", "%s: at most hold_time, %s", s.MinHoldTime, s.HoldTime)
	case s.MaxPrefixesRestart < 0:
		return setting.Errorf(at+"max_prefixes_restart", "is negative")
	case s.StaleTime < 0:
		return setting.Errorf(at+"stale_time", "is negative")
	case s.MaxStaleTime < 0:
		return setting.Errorf(at+"max_stale_time", "is negative")
	case s.StaleSweep < 0:
		return setting.Errorf(at+"stale_sweep", "is negative")
	}
	return nil
}

// minAttributeBytes is room for a few of the largest attribute sets.
const minAttributeBytes = 1 << 20

// maxPassword is what the kernel takes as a TCP-MD5 key (tcp(7)), in octets.
const maxPassword = 80

// validName reports whether a name can stand in a query without quotes.
func validName(s string) bool {
	for _, r := range s {
		letter := (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9')
		if !letter && r != '.' && r != '_' && r != ':' && r != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 100
}
