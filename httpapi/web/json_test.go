package web

import (
	"encoding/json"
	"testing"
)

func TestStringIsEscapedAsEncodingJSONDoes(t *testing.T) {
	for name, s := range map[string]string{
		"plain":                     "edge1",
		"a tag":                     `<script>alert("1")</script>&amp;`,
		"controls":                  "a\x00b\x1f\b\f\n\r\t\x7f",
		"line separators":           "a\u2028b\u2029",
		"broken UTF-8":              "a\xffb\xc3",
		"a quote and a backslash":   `"\`,
		"letters beyond ASCII":      "Zürich 東京 😀",
		"the empty string":          "",
		"a replacement character":   "\uFFFD",
		"a surrogate half in UTF-8": "\xed\xa0\x80",
	} {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendString(nil, s); string(got) != string(want) {
			t.Errorf("%s: AppendString(%q) = %s, want %s", name, s, got, want)
		}
	}
}
