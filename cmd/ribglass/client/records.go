package client

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
)

// printLines writes each element of a list as a line of JSON, as it came.
func printLines(w io.Writer, list []json.RawMessage) error {
	var b bytes.Buffer
	for _, one := range list {
		if err := json.Compact(&b, one); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// printCSV writes rows as CSV (RFC 4180), the first with the names of the columns.
func printCSV(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	for _, row := range rows {
		for i := range row {
			row[i] = csvText(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// csvText returns text as a cell. Text that a spreadsheet would take for a formula gets
// an apostrophe in front, as the server gives it.
func csvText(s string) string {
	if s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		return "'" + s
	}
	return s
}

// csvTime writes a time for CSV, nothing for the zero Time.
func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// csvTrue writes true for CSV, nothing for false.
func csvTrue(yes bool) string {
	if yes {
		return "true"
	}
	return ""
}

func csvNumber[N ~int | ~int64 | ~uint32](n N) string { return strconv.FormatInt(int64(n), 10) }
