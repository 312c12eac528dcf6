package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
)

// code names a kind of failure. Codes are part of the interface: stable.
type code string

const (
	codeInvalidQuery     code = "invalid_query"
	codeInvalidCursor    code = "invalid_cursor"
	codeInvalidParameter code = "invalid_parameter"
	codeUnknownParameter code = "unknown_parameter"
	codeRepeated         code = "repeated_parameter"
	codeBadRequest       code = "bad_request"
	codeNotFound         code = "not_found"
	codeUnknownPeer      code = "unknown_peer"
	codeMethod           code = "method_not_allowed"
	codeNotAcceptable    code = "not_acceptable"
	codeURITooLong       code = "uri_too_long"
	codeUnknownHost      code = "unknown_host"
	codeTimeout          code = "timeout"
	codeBusy             code = "busy"
	codeSearchTooLong    code = "search_too_long"
	codeSearchTooCostly  code = "search_too_costly"
	codeNoHistory        code = "no_history"
	codeFuture           code = "future"
	codeBeforeHistory    code = "before_history"
	codeNoCollection     code = "unknown_collection"
	codeNoPrefix         code = "not_a_prefix"
	codeNoExport         code = "no_export"
	codeMediaType        code = "unsupported_media_type"
	codeTooLarge         code = "too_large"
	codeInternal         code = "internal"
)

// describe is the one table of codes: status and title.
func (c code) describe() (status int, title string) { //nolint:gocyclo // a table has a line for each code
	switch c {
	case codeInvalidQuery:
		return http.StatusBadRequest, "The query cannot be understood"
	case codeInvalidCursor:
		return http.StatusBadRequest, "The cursor belongs to no page of this query"
	case codeInvalidParameter:
		return http.StatusBadRequest, "A parameter has a value it cannot have"
	case codeUnknownParameter:
		return http.StatusBadRequest, "A parameter is not known here"
	case codeRepeated:
		return http.StatusBadRequest, "A parameter is given more than once"
	case codeBadRequest:
		return http.StatusBadRequest, "The request cannot be understood"
	case codeNotFound:
		return http.StatusNotFound, "There is nothing here"
	case codeUnknownPeer:
		return http.StatusNotFound, "There is no such peer"
	case codeMethod:
		return http.StatusMethodNotAllowed, "The method is not for this"
	case codeNotAcceptable:
		return http.StatusNotAcceptable, "There is no answer in an accepted form"
	case codeURITooLong:
		return http.StatusRequestURITooLong, "The address is too long"
	case codeUnknownHost:
		return http.StatusMisdirectedRequest, "This server does not answer under that name"
	case codeTimeout:
		return http.StatusServiceUnavailable, "The answer took too long"
	case codeBusy:
		return http.StatusServiceUnavailable, "There is too much to do at once"
	case codeSearchTooLong:
		return http.StatusServiceUnavailable, "The search costs more than one may"
	case codeSearchTooCostly:
		return http.StatusBadRequest, "The search would touch more than one may"
	case codeNoHistory:
		return http.StatusNotFound, "The past is not kept here"
	case codeFuture:
		return http.StatusBadRequest, "The moment is in the future"
	case codeBeforeHistory:
		return http.StatusNotFound, "The moment is before the history begins"
	case codeNoCollection:
		return http.StatusNotFound, "There is no such collection"
	case codeNoPrefix:
		return http.StatusBadRequest, "A timeline is of one prefix"
	case codeNoExport:
		return http.StatusNotFound, "This format is not written here"
	case codeMediaType:
		return http.StatusUnsupportedMediaType, "The body has a form that is not read here"
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge, "The body asks for too much at once"
	case codeInternal:
	}
	return http.StatusInternalServerError, "Something went wrong here"
}

// problem is a failure as the client is told it (RFC 9457). Everything in it
// may be shown to anyone.
type problem struct {
	code   code
	detail string
	query  string // the text in which Column counts
	column int    // in bytes from 1; 0 when there is none
	allow  string // of codeMethod
	retry  string // seconds until it makes sense to come again; "" when unknown
}

// Error returns code and detail.
func (p *problem) Error() string { return string(p.code) + ": " + p.detail }

func problemf(c code, format string, args ...any) *problem {
	return &problem{code: c, detail: fmt.Sprintf(format, args...)}
}

// busyRetry is how many seconds one who is refused is told to wait.
const busyRetry = "2"

// problemOf says what the client is told about err: only what is known to be
// fit for it.
func problemOf(err error) *problem {
	var known *problem
	var parse *query.Error
	var cost *ribstore.CostError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &parse):
		return &problem{code: codeInvalidQuery, detail: parse.Message, column: parse.Column}
	case errors.Is(err, query.ErrCursor):
		return problemf(codeInvalidCursor, "Ask for the first page again, without a cursor.")
	case errors.Is(err, ribstore.ErrBusy):
		p := problemf(codeBusy, "As many searches run as may at a time. Lookups of an address or a prefix are answered still.")
		p.retry = busyRetry
		return p
	case errors.Is(err, ribstore.ErrTooLong):
		return problemf(codeSearchTooLong, "Ask for less at once: confine the search by a prefix or by a peer.")
	case errors.As(err, &cost):
		return problemf(codeSearchTooCostly, "Estimated are %d attribute sets and routes, %d are allowed: confine the search by a prefix or by a peer.", cost.Rows, cost.Limit)
	case errors.Is(err, context.DeadlineExceeded):
		return problemf(codeTimeout, "The search was given up. Ask for less at once, or try again.")
	}
	if p := pastProblemOf(err); p != nil {
		return p
	}
	return problemf(codeInternal, "The answer could not be made. The operator finds the reason in the log.")
}

// pastProblemOf is problemOf for what can be wrong with a question about the
// past, nil for everything else.
func pastProblemOf(err error) *problem {
	var before *history.RangeError
	switch {
	case errors.Is(err, ribstore.ErrNoHistory):
		return problemf(codeNoHistory, "This server keeps no history. Ask without a moment for what is now.")
	case errors.Is(err, ribstore.ErrFuture):
		return problemf(codeFuture, "Ask for a moment that has been.")
	case errors.As(err, &before) && before.Begins.IsZero():
		return problemf(codeBeforeHistory, "Nothing is recorded yet.")
	case errors.As(err, &before):
		return problemf(codeBeforeHistory, "What is recorded begins at %s.", before.Begins.UTC().Format(time.RFC3339Nano))
	case errors.Is(err, ribstore.ErrNoCollection):
		return problemf(codeNoCollection, "/api/v1/collections lists those that there are.")
	case errors.Is(err, ribstore.ErrNoPrefix):
		return problemf(codeNoPrefix, "Ask for one prefix or address, such as q=192.0.2.0/24.")
	}
	return nil
}

// appendJSON appends p as problem details for the request path.
func (p *problem) appendJSON(b []byte, instance string) []byte {
	status, title := p.code.describe()
	b = append(b, '{')
	b = appendString(appendKey(b, "type"), "urn:ribglass:problem:"+string(p.code))
	b = appendString(appendKey(b, "title"), title)
	b = appendInt(appendKey(b, "status"), int64(status))
	b = appendString(appendKey(b, "code"), string(p.code))
	b = appendString(appendKey(b, "detail"), p.detail)
	b = appendString(appendKey(b, "instance"), instance)
	if p.column > 0 {
		b = appendInt(appendKey(b, "column"), int64(p.column))
		b = appendString(appendKey(b, "hint"), p.hint())
	}
	return append(b, '}', '\n')
}

// hint shows the query and, on the line below, a caret under the column.
func (p *problem) hint() string {
	text, before := window(p.query, p.column)
	return text + "\n" + strings.Repeat(" ", before) + "^"
}

// window cuts a part of text around the column that fits on a line, and says
// how many characters of it stand before the column.
func window(text string, column int) (line string, before int) {
	const most = 72
	at := min(max(column-1, 0), len(text))
	start := max(0, at-most/2)
	end := min(len(text), start+most)
	for start > 0 && !utf8.RuneStart(text[start]) {
		start--
	}
	head := printable(text[start:at])
	return head + printable(text[at:end]), utf8.RuneCountInString(head)
}

// printable puts a mark where what the client wrote has a control character, one
// that reorders text, or is no text, so that an answer can repeat it in every form.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if forbidden(r) || unicode.Is(unicode.Cf, r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
