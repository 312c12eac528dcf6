package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Code names a kind of failure. Codes are part of the interface: stable.
type Code string

// The codes.
const (
	CodeInvalidQuery     Code = "invalid_query"
	CodeInvalidCursor    Code = "invalid_cursor"
	CodeInvalidParameter Code = "invalid_parameter"
	CodeUnknownParameter Code = "unknown_parameter"
	CodeRepeated         Code = "repeated_parameter"
	CodeBadRequest       Code = "bad_request"
	CodeNotFound         Code = "not_found"
	CodeUnknownPeer      Code = "unknown_peer"
	CodeMethod           Code = "method_not_allowed"
	CodeNotAcceptable    Code = "not_acceptable"
	CodeURITooLong       Code = "uri_too_long"
	CodeUnknownHost      Code = "unknown_host"
	CodeTimeout          Code = "timeout"
	CodeBusy             Code = "busy"
	CodeSearchTooLong    Code = "search_too_long"
	CodeSearchTooCostly  Code = "search_too_costly"
	CodeNoHistory        Code = "no_history"
	CodeFuture           Code = "future"
	CodeBeforeHistory    Code = "before_history"
	CodeNoCollection     Code = "unknown_collection"
	CodeNoPrefix         Code = "not_a_prefix"
	CodeNoExport         Code = "no_export"
	CodeMediaType        Code = "unsupported_media_type"
	CodeTooLarge         Code = "too_large"
	CodeResuming         Code = "resuming"
	CodeInternal         Code = "internal"
)

// Describe is the one table of codes: status and title.
func (c Code) Describe() (status int, title string) { //nolint:gocyclo // a table has a line for each code
	switch c {
	case CodeInvalidQuery:
		return http.StatusBadRequest, "The query cannot be understood"
	case CodeInvalidCursor:
		return http.StatusBadRequest, "The cursor belongs to no page of this query"
	case CodeInvalidParameter:
		return http.StatusBadRequest, "A parameter has a value it cannot have"
	case CodeUnknownParameter:
		return http.StatusBadRequest, "A parameter is not known here"
	case CodeRepeated:
		return http.StatusBadRequest, "A parameter is given more than once"
	case CodeBadRequest:
		return http.StatusBadRequest, "The request cannot be understood"
	case CodeNotFound:
		return http.StatusNotFound, "There is nothing here"
	case CodeUnknownPeer:
		return http.StatusNotFound, "There is no such peer"
	case CodeMethod:
		return http.StatusMethodNotAllowed, "The method is not for this"
	case CodeNotAcceptable:
		return http.StatusNotAcceptable, "There is no answer in an accepted form"
	case CodeURITooLong:
		return http.StatusRequestURITooLong, "The address is too long"
	case CodeUnknownHost:
		return http.StatusMisdirectedRequest, "This server does not answer under that name"
	case CodeTimeout:
		return http.StatusServiceUnavailable, "The answer took too long"
	case CodeBusy:
		return http.StatusServiceUnavailable, "Server busy"
	case CodeSearchTooLong:
		return http.StatusServiceUnavailable, "Search too expensive"
	case CodeSearchTooCostly:
		return http.StatusBadRequest, "The search would touch more than one may"
	case CodeNoHistory:
		return http.StatusNotFound, "The past is not kept here"
	case CodeFuture:
		return http.StatusBadRequest, "The moment is in the future"
	case CodeBeforeHistory:
		return http.StatusNotFound, "The moment is before the history begins"
	case CodeNoCollection:
		return http.StatusNotFound, "There is no such collection"
	case CodeNoPrefix:
		return http.StatusBadRequest, "A timeline is of one prefix"
	case CodeNoExport:
		return http.StatusNotFound, "This format is not written here"
	case CodeMediaType:
		return http.StatusUnsupportedMediaType, "The body has a form that is not read here"
	case CodeTooLarge:
		return http.StatusRequestEntityTooLarge, "The body asks for too much at once"
	case CodeResuming:
		return http.StatusServiceUnavailable, "The history is being loaded"
	case CodeInternal:
	}
	return http.StatusInternalServerError, "Internal error"
}

// Problem is a failure as the client is told it (RFC 9457). Everything in it
// may be shown to anyone.
type Problem struct { //nolint:errname // RFC 9457 calls it so
	Code   Code
	Detail string
	Query  string // the text in which Column counts
	Column int    // in bytes from 1; 0 when there is none
	Allow  string // of CodeMethod
	Retry  string // seconds until it makes sense to come again; "" when unknown
}

// Error returns code and detail.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// Problemf returns a problem whose detail is formatted as by [fmt.Sprintf].
func Problemf(c Code, format string, args ...any) *Problem {
	return &Problem{Code: c, Detail: fmt.Sprintf(format, args...)}
}

// BusyRetry is how many seconds one who is refused is told to wait.
const BusyRetry = "2"

// ProblemOf says what the client is told about err: a Problem as it is, and of
// anything else only that it happened.
func ProblemOf(err error) *Problem {
	var known *Problem
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.DeadlineExceeded):
		return Problemf(CodeTimeout, "The search was given up. Ask for less at once, or try again.")
	}
	return Problemf(CodeInternal, "The answer could not be made. The operator finds the reason in the log.")
}

// appendJSON appends p as problem details for the request path.
func (p *Problem) appendJSON(b []byte, instance string) []byte {
	status, title := p.Code.Describe()
	b = append(b, '{')
	b = AppendString(AppendKey(b, "type"), "urn:ribglass:problem:"+string(p.Code))
	b = AppendString(AppendKey(b, "title"), title)
	b = AppendInt(AppendKey(b, "status"), int64(status))
	b = AppendString(AppendKey(b, "code"), string(p.Code))
	b = AppendString(AppendKey(b, "detail"), p.Detail)
	b = AppendString(AppendKey(b, "instance"), instance)
	if p.Column > 0 {
		b = AppendInt(AppendKey(b, "column"), int64(p.Column))
		b = AppendString(AppendKey(b, "hint"), p.Hint())
	}
	return append(b, '}', '\n')
}

// Hint shows the query and, on the line below, a caret under the column.
func (p *Problem) Hint() string {
	text, before := Window(p.Query, p.Column)
	return text + "\n" + strings.Repeat(" ", before) + "^"
}

// Window cuts a part of text around the column that fits on a line, and says
// how many characters of it stand before the column.
func Window(text string, column int) (line string, before int) {
	const most = 72
	at := min(max(column-1, 0), len(text))
	start := max(0, at-most/2)
	end := min(len(text), start+most)
	for start > 0 && !utf8.RuneStart(text[start]) {
		start--
	}
	head := Printable(text[start:at])
	return head + Printable(text[at:end]), utf8.RuneCountInString(head)
}

// Printable puts a mark where what the client wrote has a control character, one
// that reorders text, or is no text, so that an answer can repeat it in every form.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if Forbidden(r) || unicode.Is(unicode.Cf, r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
