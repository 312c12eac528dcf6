package query

import "strings"

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
	space = " \t\r\n\v\f"
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
	case c == '"':
		return l.quoted(t)
	case strings.ContainsRune("<>=!", rune(c)):
		n := 1
		if len(rest) > 1 && rest[1] == '=' {
			n = 2
		}
		return l.take(t, opToken, n), nil
	}
	n := strings.IndexAny(rest, breaks)
	if n < 0 {
		n = len(rest)
	}
	return l.take(t, wordToken, n), nil
}

func (l *lexer) take(t token, kind tokenKind, n int) token {
	t.kind, t.text = kind, l.text[l.pos:l.pos+n]
	l.pos += n
	return t
}

// quoted reads a text in double quotes; a backslash takes the next sign as it
// is when that is a quote or a backslash.
func (l *lexer) quoted(t token) (token, error) {
	t.kind, t.quoted = wordToken, true
	var b strings.Builder
	for i := l.pos + 1; i < len(l.text); i++ {
		c := l.text[i]
		switch {
		case c == '"':
			t.text, l.pos = b.String(), i+1
			return t, nil
		case c == '\\' && i+1 < len(l.text) && (l.text[i+1] == '"' || l.text[i+1] == '\\'):
			i++
			c = l.text[i]
		}
		b.WriteByte(c)
	}
	return t, &Error{Column: t.column, Message: `a quoted text without its closing "`}
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
	case rest[0] == '"':
		return l.quoted(t)
	case strings.HasPrefix(rest, "[="):
		if n := strings.Index(rest, "=]"); n > 0 {
			return l.take(t, wordToken, n+2), nil
		}
		return t, &Error{Column: t.column, Message: `a path mask without its closing "=]"`}
	}
	depth, n := 0, 0
	for ; n < len(rest) && !strings.ContainsRune(space, rune(rest[n])); n++ {
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

// quote writes a text so that the lexer reads it back as one word.
func quote(s string) string {
	if isWord(s) {
		return quoted(s)
	}
	return quoteSigns(s)
}

// quoteSigns is quote for a text that is no word of the language.
func quoteSigns(s string) string {
	if s != "" && !strings.ContainsAny(s, breaks+`\[{`) {
		return s
	}
	return quoted(s)
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
