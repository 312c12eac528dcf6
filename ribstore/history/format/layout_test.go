package format

import (
	"errors"
	"testing"
)

func TestFormatsAreToldApart(t *testing.T) {
	for _, row := range []struct {
		name           string
		read, is, ours bool // read by this version, of the version before, a history at all
	}{
		{Name, true, false, true},
		{former, true, true, true},
		{formatPrefix + "99", false, false, true},
		{formatPrefix, false, false, true},
		{Name + " and far too much behind it", false, false, false},
		{"another program", false, false, false},
		{"", false, false, false},
	} {
		err := CheckFormat([]byte(row.name))
		var other *OtherError
		if (err == nil) != row.read || IsFormer([]byte(row.name)) != row.is || !row.read && (errors.As(err, &other) != row.ours || !errors.Is(err, ErrForeign)) {
			t.Errorf("%q: CheckFormat = %v, IsFormer = %v", row.name, err, IsFormer([]byte(row.name)))
		}
	}
}
