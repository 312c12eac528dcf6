package query

import (
	"strings"
	"unicode/utf8"
)

// token is a piece of a query: a word, a parenthesis, an operator, or a text in
// quotes.
type token struct {
	text   string
	column int  // of its first byte, from 1
	quoted bool // it stood in quotes, which text lacks
	kind   tokenKind
}

type tokenKind uint8

const (
	endToken tokenKind = iota
	wordToken
	openToken
	closeToken
	opToken
)

const (
	// space is white space, also that which mails and office programs put in, and what has
	// no width.
	space = " \t\r\n\v\f\u00a0\u2002\u2003\u2007\u2009\u200a\u200b\u202f\u3000\ufeff"
	// quotes begin and end a text: those of programs, and those that office programs make of
	// them.
	openQuotes  = `"'“”„‟«‘’‚`
	closeQuotes = `"'“”«»‘’`
	// breaks end a word.
	breaks = space + "()\"<>=!"
)

// lexer cuts a query into tokens. What a token ends at depends on what is
// wanted, since expressions over AS paths have signs of their own.
type lexer struct {
	text string
	pos  int
}

func (l *lexer) skipSpace() {
	l.pos = len(l.text) - len(strings.TrimLeft(l.text[l.pos:], space))
}

// next returns the next token.
func (l *lexer) next() (token, error) {
	l.skipSpace()
	t := token{column: l.pos + 1}
	if l.pos == len(l.text) {
		return t, nil
	}
	rest := l.text[l.pos:]
	switch c := rest[0]; {
	case c == '(':
		return l.take(t, openToken, 1), nil
	case c == ')':
		return l.take(t, closeToken, 1), nil
	case beginsQuoted(rest):
		return l.quoted(t)
	case strings.ContainsRune("<>=!", rune(c)):
		n := 1
		if len(rest) > 1 && rest[1] == '=' {
			n = 2
		}
		return l.take(t, opToken, n), nil
	}
	return l.bareWord(t, rest), nil
}

// bareWord takes a word up to where one ends. Signs that only part conditions are words of
// their own, also right behind a word.
func (l *lexer) bareWord(t token, rest string) token {
	for _, sign := range []string{"&&", "||", "&", ",", ";"} {
		if strings.HasPrefix(rest, sign) {
			return l.take(t, wordToken, len(sign))
		}
	}
	n := strings.IndexAny(rest, breaks)
	if n < 0 {
		n = len(rest)
	}
	for _, sign := range []string{"&&", "||"} {
		if i := strings.Index(rest[:n], sign); i > 0 {
			n = i
		}
	}
	if word := strings.TrimRight(rest[:n], ",;"); word != "" {
		n = len(word)
	}
	t = l.take(t, wordToken, n)
	t.text = dashes.Replace(t.text)
	return t
}

// dashes puts what office programs make of a hyphen back.
var dashes = strings.NewReplacer("\u2010", "-", "\u2011", "-", "\u2012", "-", "\u2013", "-", "\u2014", "-", "\u2212", "-") //nolint:gochecknoglobals // constant

func (l *lexer) take(t token, kind tokenKind, n int) token {
	t.kind, t.text = kind, l.text[l.pos:l.pos+n]
	l.pos += n
	return t
}

// quoted reads a text in quotes; a backslash takes the next sign as it is when that is a
// quote or a backslash. What begins with a sign that is no ASCII ends with any of those.
func (l *lexer) quoted(t token) (token, error) {
	t.kind, t.quoted = wordToken, true
	open, size := utf8.DecodeRuneInString(l.text[l.pos:])
	var b strings.Builder
	for i := l.pos + size; i < len(l.text); {
		c, n := utf8.DecodeRuneInString(l.text[i:])
		switch {
		case c == open && open < utf8.RuneSelf, open >= utf8.RuneSelf && strings.ContainsRune(closeQuotes, c):
			t.text, l.pos = b.String(), i+n
			return t, nil
		case c == '\\' && i+1 < len(l.text) && (l.text[i+1] == '"' || l.text[i+1] == '\\'):
			i++
		}
		b.WriteString(l.text[i : i+n])
		i += n
	}
	return t, &Error{Column: t.column, Message: `a quoted text without its closing "`}
}

// beginsQuoted reports whether a quoted text begins here. A sign that is none of ours
// begins one only when another one ends it.
func beginsQuoted(rest string) bool {
	if rest[0] == '"' {
		return true
	}
	c, size := utf8.DecodeRuneInString(rest)
	return strings.ContainsRune(openQuotes, c) && strings.ContainsAny(rest[size:], closeQuotes)
}

// expression returns the next token as an expression over AS paths: in quotes,
// or a BIRD mask up to its "=]", or up to white space or a parenthesis that it
// did not open.
func (l *lexer) expression() (token, error) {
	l.skipSpace()
	t := token{column: l.pos + 1}
	rest := l.text[l.pos:]
	switch {
	case rest == "":
		return t, nil
	case beginsQuoted(rest):
		return l.quoted(t)
	case strings.HasPrefix(rest, "[="):
		if n := strings.Index(rest, "=]"); n > 0 {
			return l.take(t, wordToken, n+2), nil
		}
		return t, &Error{Column: t.column, Message: `a path mask without its closing "=]"`}
	}
	if n := anchored(rest); n > 0 {
		return l.take(t, wordToken, n), nil
	}
	depth, n := 0, 0
	end := strings.IndexAny(rest, space)
	if end < 0 {
		end = len(rest)
	}
	for ; n < end; n++ {
		if rest[n] == '(' {
			depth++
		}
		if rest[n] == ')' {
			if depth--; depth < 0 {
				break
			}
		}
	}
	if n == 0 {
		return t, nil
	}
	return l.take(t, wordToken, n), nil
}

// anchored returns how long an expression is that begins with ^ and has spaces before its
// $, as it is printed: "^3257 13335$". Zero: it is not such a one.
func anchored(rest string) int {
	if rest[0] != '^' {
		return 0
	}
	n := strings.IndexByte(rest, '$') + 1
	if !strings.ContainsAny(rest[:n], " \t") || strings.Trim(rest[:n], "0123456789^$_ \t.*+?|()[]{}\\,-") != "" {
		return 0
	}
	return n
}

// quote writes a text so that the lexer reads it back as one word.
func quote(s string) string {
	if isWord(s) {
		return quoted(s)
	}
	return quoteSigns(s)
}

// quoteSigns is quote for a text that is no word of the language.
func quoteSigns(s string) string {
	if s != "" && !strings.ContainsAny(s, breaks+openQuotes+closeQuotes+`\[{,;&`) && !strings.Contains(s, "||") && utf8.ValidString(s) {
		return s
	}
	return quoted(s)
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
