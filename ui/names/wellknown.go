package names

// wellKnown returns what a community means everywhere: those of the IANA registry
// of well-known communities, "" for others.
func wellKnown(c Community) string {
	if c.kind != standard || c.parts[0] != 0xffff {
		return ""
	}
	switch c.parts[1] {
	case 0x0000:
		return "Graceful shutdown: prefer other routes, this one goes soon (RFC 8326)"
	case 0x0001:
		return "Accept own: import a route of one's own back (RFC 7611)"
	case 0x0002:
		return "Route filter translated, VPNv4"
	case 0x0003:
		return "Route filter, VPNv4"
	case 0x0004:
		return "Route filter translated, VPNv6"
	case 0x0005:
		return "Route filter, VPNv6"
	case 0x0006:
		return "Long-lived stale: kept after its session was lost (RFC 9494)"
	case 0x0007:
		return "No long-lived graceful restart: do not keep when the session is lost (RFC 9494)"
	case 0x0008:
		return "Accept own next hop"
	case 0x0009:
		return "Standby provider edge (RFC 9026)"
	case 0x029a:
		return "Blackhole: discard traffic to this prefix (RFC 7999)"
	case 0xff01:
		return "No export: do not announce to other ASes (RFC 1997)"
	case 0xff02:
		return "No advertise: do not announce to anyone (RFC 1997)"
	case 0xff03:
		return "No export subconfed: do not announce to other member ASes (RFC 1997)"
	case 0xff04:
		return "No peer: do not announce to peers (RFC 3765)"
	}
	return ""
}
