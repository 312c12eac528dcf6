package names

// wellKnown returns what a community means everywhere: those of the IANA registry
// of well-known communities, "" for others.
func wellKnown(c Community) string {
	if c.kind != standard || c.parts[0] != 0xffff {
		return ""
	}
	first := [...]string{
		"Graceful shutdown: prefer other routes, this one goes soon (RFC 8326)",
		"Accept own: import a route of one's own back (RFC 7611)",
		"Route filter translated, VPNv4",
		"Route filter, VPNv4",
		"Route filter translated, VPNv6",
		"Route filter, VPNv6",
		"Long-lived stale: kept after its session was lost (RFC 9494)",
		"No long-lived graceful restart: do not keep when the session is lost (RFC 9494)",
		"Accept own next hop",
		"Standby provider edge (RFC 9026)",
	}
	low := c.parts[1]
	switch {
	case low < uint32(len(first)):
		return first[low]
	case low == 0x029a:
		return "Blackhole: discard traffic to this prefix (RFC 7999)"
	case low == 0xff01:
		return "No export: do not announce to other ASes (RFC 1997)"
	case low == 0xff02:
		return "No advertise: do not announce to anyone (RFC 1997)"
	case low == 0xff03:
		return "No export subconfed: do not announce to other member ASes (RFC 1997)"
	case low == 0xff04:
		return "No peer: do not announce to peers (RFC 3765)"
	}
	return ""
}
