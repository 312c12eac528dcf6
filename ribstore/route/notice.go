package route

import "time"

// Notice is something that an operator should know of a peer, or of the program:
// a limit that was hit, or a fault that lasts.
type Notice struct {
	Kind  NoticeKind
	Since time.Time // when it began
	Last  time.Time // when it was seen last
	Count uint64    // how often; 0: it is not counted
	Text  string    // for people, in plain English; it may hold what the peer wrote
}

// NoticeKind names a limit or a fault, as the API and the metrics do:
// "max_attribute_bytes". It is a constant of the program, never what a peer wrote.
type NoticeKind string
