package terminal

import "testing"

func TestSignsAreThoseOfTheLocale(t *testing.T) {
	for _, row := range []struct {
		name, all, ctype, lang, want string
	}{
		{"no locale", "", "", "", "a → b, 2 × c…"},
		{"UTF-8", "", "", "de_DE.UTF-8", "a → b, 2 × c…"},
		{"UTF-8, written otherwise", "C.utf8@x", "", "", "a → b, 2 × c…"},
		{"C", "C", "", "de_DE.UTF-8", "a -> b, 2 x c..."},
		{"POSIX for characters only", "", "POSIX", "de_DE.UTF-8", "a -> b, 2 x c..."},
		{"Latin 1", "", "", "de_DE.ISO-8859-1", "a -> b, 2 x c..."},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("LC_ALL", row.all)
			t.Setenv("LC_CTYPE", row.ctype)
			t.Setenv("LANG", row.lang)
			if got := Signs("a → b, 2 × c…"); got != row.want {
				t.Errorf("Signs = %q, want %q", got, row.want)
			}
		})
	}
}
