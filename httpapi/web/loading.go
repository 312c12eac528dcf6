package web

import (
	"fmt"
	"strconv"
)

// Loading is how much of what the server must read before it can answer it has read, in
// routes and changes. Of is zero while it is not known.
type Loading struct{ Done, Of int64 }

// Problem is what requests are told meanwhile.
func (l Loading) Problem() *Problem {
	return &Problem{Code: CodeResuming, Detail: l.String(), Retry: BusyRetry}
}

// String says how far the loading is, in a sentence for people.
func (l Loading) String() string {
	far := ""
	if l.Of > 0 {
		far = fmt.Sprintf(": %d%% of %s routes and changes", l.Done*100/l.Of, grouped(l.Of))
	}
	return "Ribglass is loading what it recorded" + far + ". Sessions come up meanwhile; ask again in a moment."
}

// grouped writes a number with a separator between thousands.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
