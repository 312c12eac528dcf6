// Package interop tests the built program as its users meet it: real routing
// daemons peer with it over real sockets, and attackers talk to it.
//
// Every test starts "ribglass serve" as a process of its own, on 127/8
// addresses and high ports, and looks at it from outside only: through the
// HTTP interface, the admin listener, the bytes it puts on a session, and the
// kernel's tables. So nothing here depends on how the program is built inside.
//
// The other side of a session is one of three. A daemon (BIRD, FRR, OpenBGPD,
// GoBGP, ExaBGP) is run from its Debian package with a configuration written
// for the test; what it says it sent, in its own words, is what must be found.
// A speaker is a hand-written BGP peer that sends exactly the bytes a test
// names and keeps all it receives; it shares no code with the program. A feed
// is a speaker that plays the routes of testdata, taken from real MRT dumps.
//
// A daemon that is not installed skips its tests with the reason, and fails
// them where CI is set. Nothing waits for a fixed time: conditions are polled
// until they hold or a deadline passes.
package interop
