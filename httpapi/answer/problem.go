package answer

// ProblemType is the media type of a [Problem].
const ProblemType = "application/problem+json"

// Problem says why a request failed (RFC 9457). Everything in it may be shown to
// anyone.
type Problem struct {
	Type     string `json:"type"` // a URN that ends in the code
	Title    string `json:"title"`
	Status   int    `json:"status"` // of HTTP
	Code     string `json:"code"`   // stable
	Detail   string `json:"detail"`
	Instance string `json:"instance"`         // the path of the request
	Column   int    `json:"column,omitempty"` // where the query is wrong, in bytes from 1; absent where no query is
	Hint     string `json:"hint,omitempty"`   // the query, and a caret below the column; absent without a column
}
