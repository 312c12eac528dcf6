package names

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"ribglass/ribstore/route"
)

// Limits of files. Real ones have a tenth of them.
const (
	maxFileBytes = 64 << 20 // unpacked
	maxNames     = 1_000_000
	maxText      = 512 // bytes of a name or description
	maxLine      = 2048
)

// LineError is what is wrong on a line of a file.
type LineError struct {
	Line   int
	Reason string
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

func lineErrorf(line int, format string, args ...any) error {
	return &LineError{line, fmt.Sprintf(format, args...)}
}

var errTooLarge = errors.New("more than 64 MiB unpacked")

// ReadASNames reads names in one of the formats of the package comment.
func ReadASNames(r io.Reader) (*ASNames, error) {
	plain, done, err := unpacked(r)
	if err != nil {
		return nil, err
	}
	defer done()
	b := bufio.NewReaderSize(plain, maxLine)
	head, err := b.Peek(maxLine)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read names: %w", err)
	}
	header, _, _ := bytes.Cut(head, []byte{'\n'})
	entries, err := readFormat(b, isHeader(string(header)))
	if err != nil {
		return nil, err
	}
	return newASNames(entries)
}

func readFormat(r io.Reader, table bool) ([]entry, error) {
	if table {
		return readTable(r)
	}
	return readLines(r)
}

// unpacked returns what r holds, unpacked where it is packed, bounded in any case.
func unpacked(r io.Reader) (plain io.Reader, done func(), err error) {
	b := bufio.NewReader(r)
	magic, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read names: %w", err)
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, nil, fmt.Errorf("unpack names: %w", err)
		}
		return &bounded{r: z, left: maxFileBytes}, func() { _ = z.Close() }, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFileBytes))
		if err != nil {
			return nil, nil, fmt.Errorf("unpack names: %w", err)
		}
		return &bounded{r: z, left: maxFileBytes}, z.Close, nil
	}
	return &bounded{r: b, left: maxFileBytes}, func() {}, nil
}

// bounded is a reader of something that must end in time.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errTooLarge
	}
	return n, err //nolint:wrapcheck // a reader hands on what it reads from, io.EOF included
}

// columns are the names of CSV columns in a header.
func columns(header string) []string {
	list := strings.Split(strings.TrimRight(header, "\r"), ",")
	for i := range list {
		list[i] = strings.ToLower(strings.Trim(list[i], `"`))
	}
	return list
}

func isHeader(line string) bool {
	list := columns(strings.TrimPrefix(line, "\uFEFF"))
	return slices.Contains(list, "asn") && slices.Contains(list, "name")
}

// readTable reads CSV with a header.
func readTable(r io.Reader) ([]entry, error) {
	c := csv.NewReader(r)
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	list := columns(strings.TrimPrefix(strings.Join(header, ","), "\uFEFF"))
	asn, name := slices.Index(list, "asn"), slices.Index(list, "name")
	if asn < 0 || name < 0 {
		return nil, lineErrorf(1, "no columns \"asn\" and \"name\"")
	}
	var entries []entry
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read names: %w", err)
		}
		line, _ := c.FieldPos(asn)
		if entries, err = appendEntry(entries, line, record[asn], record[name]); err != nil {
			return nil, err
		}
	}
}

// readLines reads lines of a number and a name.
func readLines(r io.Reader) ([]entry, error) {
	var entries []entry
	err := eachLine(r, func(line int, text string) error {
		number, name, found := strings.Cut(text, "\t")
		if !found {
			number, name, found = strings.Cut(text, " ")
		}
		if !found {
			return lineErrorf(line, "%q is not an AS number, a tab and a name", clip(text))
		}
		var err error
		entries, err = appendEntry(entries, line, number, name)
		return err
	})
	return entries, err
}

// eachLine calls f with the lines that say something.
func eachLine(r io.Reader, f func(line int, text string) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 0, maxLine), maxLine)
	line := 0
	for scanner.Scan() {
		line++
		text := scanner.Text()
		if line == 1 {
			text = strings.TrimPrefix(text, "\uFEFF")
		}
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		if err := f(line, text); err != nil {
			return err
		}
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return lineErrorf(line+1, "longer than %d bytes", maxLine)
	} else if err != nil {
		return fmt.Errorf("after line %d: %w", line, err)
	}
	return nil
}

func appendEntry(entries []entry, line int, number, name string) ([]entry, error) {
	asn, err := route.ParseASN(strings.TrimSpace(number))
	if err != nil {
		return nil, lineErrorf(line, "%v", err)
	}
	if name, err = cleanText(name); err != nil {
		return nil, lineErrorf(line, "name of AS%d: %v", asn, err)
	}
	if len(entries) == maxNames {
		return nil, lineErrorf(line, "more than %d names", maxNames)
	}
	return append(entries, entry{asn, line, name}), nil
}

// cleanText makes what a file says fit to be shown in one line: white space
// becomes single spaces; control characters and those that cannot be seen, which
// could hide or reorder what stands around them, are left out.
func cleanText(s string) (string, error) {
	if isClean(s) {
		return s, nil
	}
	if !utf8.ValidString(s) {
		return "", errors.New("not UTF-8")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ") // last: what was left out may have stood between spaces
	switch {
	case s == "":
		return "", errors.New("empty")
	case len(s) > maxText:
		return "", fmt.Errorf("%d bytes, at most %d", len(s), maxText)
	}
	return s, nil
}

// isClean reports whether s is ASCII as it is to be, which most names are.
func isClean(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && before == ' ' {
			return false
		}
		before = s[i]
	}
	return before != ' ' && len(s) <= maxText
}

// clip shortens what a file says for a message.
func clip(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
