package route

import (
	"encoding/hex"
	"testing"
)

func TestAttrSetIsTakenApart(t *testing.T) {
	octets, err := hex.DecodeString("0000fbf4" + "40050400000064" + "40010100" + "50020006" + "02010000fde9" + "c06301ff")
	if err != nil {
		t.Fatal(err)
	}
	asn, attrs, ok := UnknownAttr{Code: AttrAttrSet, Flags: 0xc0, Value: octets}.AttrSet()
	pref, _ := attrs.LocalPref()
	if !ok || asn != 64500 || attrs.Origin() != OriginIGP || attrs.ASPath().String() != "65001" || pref != 100 {
		t.Errorf("AttrSet = %v, %x, %v", asn, attrs, ok)
	}
	text := UnknownAttr{Code: AttrAttrSet, Value: octets}.Text()
	if want := "AS64500: ORIGIN igp, AS_PATH 65001, LOCAL_PREF 100, attribute 99 c0ff"; text != want {
		t.Errorf("Text = %q, want %q", text, want)
	}
	for u := range attrs.Unknown() {
		if u.Code != 99 || u.Flags != 0xc0 || string(u.Value) != "\xff" {
			t.Errorf("unknown in it: %+v", u)
		}
	}
	for _, bad := range []UnknownAttr{
		{Code: 99, Value: octets},
		{Code: AttrAttrSet, Value: octets[:3]},
		{Code: AttrAttrSet, Value: octets[:6]},
		{Code: AttrAttrSet, Value: octets[:len(octets)-1]},
	} {
		if _, _, ok := bad.AttrSet(); ok {
			t.Errorf("%+v is read", bad)
		}
	}
}
