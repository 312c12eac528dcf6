package query

import "errors"

// ErrCursor is what a search returns for a cursor that no page of that query
// gave out.
var ErrCursor = errors.New("the cursor belongs to no page of this query")
