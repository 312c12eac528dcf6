package config

import (
	"strings"
	"testing"
)

// TestMistakesAreRefusedWithTheirPlace has a row for each kind of mistake. The
// text of a row follows two valid lines, asn and router_id, unless it begins
// with "!": then it is the whole file.
func TestMistakesAreRefusedWithTheirPlace(t *testing.T) {
	const neighbor = "neighbors:\n  - { name: a, address: 192.0.2.1, asn: 64501 }\n"
	for _, row := range []struct{ name, text, want string }{
		{"an empty file", "!", "f.yaml:1:1: the file is empty"},
		{"a file of comments", "!# nothing\n", "f.yaml:1:1: the file is empty"},
		{"text that is not YAML", "!asn: [1, 2\n", "not YAML"},
		{"a list instead of keys", "!- a\n- b\n", "f.yaml:1:1: the file wants keys and values, not a list"},
		{"a second document", neighbor + "---\nasn: 1\n", "f.yaml:6:1: a second YAML document"},
		{"an unknown key near a known one", neighbor + "lissten: []\n", `f.yaml:5:1: unknown key "lissten": did you mean "listen"?`},
		{"an unknown key far from all", neighbor + "zzz: 1\n", `f.yaml:5:1: unknown key "zzz": have asn, router_id, listen`},
		{"an unknown key of a neighbor", "neighbors:\n  - adddress: 192.0.2.1\n", `f.yaml:4:5: unknown key "adddress" in neighbors[0]: did you mean "address"?`},
		{"a key twice", neighbor + "listen: []\nlisten: []\n", `f.yaml:6:1: key "listen" stands here twice: first in line 5`},
		{"a key twice in a neighbor", "neighbors:\n  - asn: 1\n    asn: 2\n", `f.yaml:5:5: key "asn" stands here twice: first in line 4`},
		{"no asn", "!router_id: 192.0.2.10\n" + neighbor, "f.yaml:1:1: asn is missing"},
		{"an asn of zero", "!asn: 0\nrouter_id: 192.0.2.10\n" + neighbor, "f.yaml:1:6: asn: 0 is reserved (RFC 7607)"},
		{"AS_TRANS", "!asn: 23456\nrouter_id: 192.0.2.10\n" + neighbor, "f.yaml:1:6: asn: 23456 is AS_TRANS"},
		{"the last AS number", "!asn: 4294967295\nrouter_id: 192.0.2.10\n" + neighbor, "RFC 7300"},
		{"an asn that is no number", "!asn: sixty\nrouter_id: 192.0.2.10\n" + neighbor, `f.yaml:1:6: asn: AS number "sixty"`},
		{"no router_id", "!asn: 64500\n" + neighbor, "f.yaml:1:1: router_id is missing"},
		{"an IPv6 router_id", "!asn: 64500\nrouter_id: 2001:db8::1\n" + neighbor, "f.yaml:2:12: router_id: an IPv4 address is wanted"},
		{"no neighbor", "", "f.yaml:1:1: there is no neighbor"},
		{"neighbors without an entry", "neighbors:\n", "f.yaml:3:11: there is no neighbor"},
		{"a neighbor without address", "neighbors:\n  - asn: 64501\n", "f.yaml:4:5: address is missing"},
		{"a neighbor without asn", "neighbors:\n  - address: 192.0.2.1\n", "f.yaml:4:5: asn is missing"},
		{"an address that is none", "neighbors:\n  - { address: 192.0.2.256, asn: 1 }\n", `f.yaml:4:16: address: "192.0.2.256" is not an IP address`},
		{"a multicast address", "neighbors:\n  - { address: 224.0.0.5, asn: 1 }\n", "f.yaml:4:16: address: 224.0.0.5 is not the address of a router"},
		{"a name with a blank", "neighbors:\n  - { name: a b, address: 192.0.2.1, asn: 1 }\n", `f.yaml:4:13: name: "a b": use letters, digits`},
		{"a name twice", neighbor + "  - { name: a, address: 192.0.2.2, asn: 1 }\n", `f.yaml:5:13: name: "a" is the name of neighbors[0] too`},
		{"an address twice", neighbor + "  - { name: b, address: '::ffff:192.0.2.1', asn: 64501 }\n", "f.yaml:5:25: address: 192.0.2.1 is the address of neighbors[0] too: give them different asn"},
		{"a link-local address without its interface", "neighbors:\n  - { address: 'fe80::2', asn: 1 }\n", "f.yaml:4:16: address: fe80::2 is an address on every link: write its interface too, such as fe80::2%eth0"},
		{"a link-local prefix without its interface", "dynamic_neighbors:\n  - { prefix: 'fe80::/10' }\n", "interface: is missing: fe80::/10 is on every link"},
		{"a port without connect", "neighbors:\n  - { address: 192.0.2.1, asn: 1, port: 1179 }\n", "connect: is missing"},
		{"an unknown family", "neighbors:\n  - { address: 192.0.2.1, asn: 1, families: [ipv4-unicast, vpnv4] }\n", `f.yaml:4:60: families: unknown address family "vpnv4"`},
		{"a mapping for a list", "neighbors:\n  - { address: 192.0.2.1, asn: 1, families: { ipv4: true } }\n", "f.yaml:4:45: families is a list"},
		{"a list for a scalar", "neighbors:\n  - { address: [192.0.2.1], asn: 1 }\n", "f.yaml:4:16: address is one value, not a list"},
		{"a key without value", "neighbors:\n  - address:\n    asn: 1\n", "address has no value"},
		{"a boolean in other words", "neighbors:\n  - { address: 192.0.2.1, asn: 1, add_path: yes }\n", `f.yaml:4:45: add_path: "yes" is neither true nor false`},
		{"a number in words", "neighbors:\n  - { address: 192.0.2.1, asn: 1, max_prefixes: many }\n", `max_prefixes: "many" is not a whole number`},
		{"a negative number", "neighbors:\n  - { address: 192.0.2.1, asn: 1, max_prefixes: -1 }\n", "max_prefixes: is negative"},
		{"a duration without unit", "neighbors:\n  - { address: 192.0.2.1, asn: 1, hold_time: 90 }\n", `hold_time: "90" is not a duration such as 90s`},
		{"a hold time the protocol forbids", "neighbors:\n  - { address: 192.0.2.1, asn: 1, hold_time: 2s }\n", "f.yaml:4:46: hold_time: 2s: whole seconds from 3s"},
		{"no hold time", "neighbors:\n  - { address: 192.0.2.1, asn: 1, hold_time: 0s }\n", "f.yaml:4:46: hold_time: cannot be zero"},
		{"mistakes in the second neighbor too", neighbor + "  - { name: b, address: 192.0.2.2, asn: 1, min_hold_time: 5m }\n", "f.yaml:5:59: min_hold_time: 5m0s: at most hold_time"},
		{"hops out of range", "neighbors:\n  - { address: 192.0.2.1, asn: 1, ttl_security: 255 }\n", "ttl_security: 255"},
		{"two sources of a password", "neighbors:\n  - { address: 192.0.2.1, asn: 1, password_file: /x, password_env: EDGE_MD5 }\n", "exclude each other"},
		{"a password file that is not there", "neighbors:\n  - { address: 192.0.2.1, asn: 1, password_file: /does/not/exist }\n", "f.yaml:4:50: password_file: open /does/not/exist: no such file"},
		{"a variable that is not set", "neighbors:\n  - { address: 192.0.2.1, asn: 1, password_env: NOPE }\n", "the environment has no variable NOPE"},
		{"a password in the file", "neighbors:\n  - { address: 192.0.2.1, asn: 1, password: x }\n", `f.yaml:4:35: unknown key "password" in neighbors[0]: a secret does not stand in the configuration; write the name of a file (password_file`},
		{"a file of another encoding", "!\xff\xfea\x00s\x00n\x00", "f.yaml:1:1: the file is not UTF-8"},
		{"snapshots that are kept for less than between two", neighbor + "data_dir: /x\nhistory: { keep: [{ every: 1h, for: 30m }] }\n", "f.yaml:6:37: for: 30m0s: must be at least every (1h0m0s)"},
		{"BGP and HTTP on one port", neighbor + "listen: 127.0.0.1:8080\nhttp: { listen: 'localhost:8080' }\n", "f.yaml:5:9: listen: 127.0.0.1:8080 is for BGP, and http.listen is localhost:8080: they need different ports"},
		{"BGP everywhere and the admin listener on one port", neighbor + "listen: ':9090'\n", "f.yaml:5:9: listen: [::]:9090 is for BGP, and admin.listen is"},
		{"HTTP and the admin listener on one port", neighbor + "http: { listen: ':8080' }\nadmin: { listen: '0.0.0.0:8080' }\n", "f.yaml:6:18: admin.listen: 0.0.0.0:8080 is the address of http.listen too"},
		{"a listener that covers another", neighbor + "listen: ['192.0.2.10:179', '[::]:179']\n", "f.yaml:5:28: listen: 192.0.2.10:179 and [::]:179 take the same connections"},
		{"a link-local listener without its interface", neighbor + "listen: '[fe80::1]:179'\n", "f.yaml:5:9: listen: [fe80::1]:179 is an address on every link"},
		{"a link-local address for HTTP without its interface", neighbor + "http: { listen: '[fe80::1]:8080' }\n", "f.yaml:5:17: listen: [fe80::1]:8080 is an address on every link"},
		{"a sample password", "neighbors:\n  - { address: 192.0.2.1, asn: 1, password_env: SAMPLE }\n", "a word from an example"},
		{"an empty password", "neighbors:\n  - { address: 192.0.2.1, asn: 1, password_env: EMPTY }\n", "EMPTY: is empty"},
		{"a TCP-AO key without a file", "neighbors:\n  - { address: 192.0.2.1, asn: 1, tcp_ao: [{ send_id: 1, recv_id: 1 }] }\n", "key_file is missing"},
		{"a TCP-AO key file that is not there", "neighbors:\n  - address: 192.0.2.1\n    asn: 1\n    tcp_ao:\n      - { key_file: /does/not/exist }\n", "f.yaml:7:21: key_file: open /does/not/exist: no such file"},
		{"a TCP-AO algorithm that is none", "neighbors:\n  - { address: 192.0.2.1, asn: 1, tcp_ao: [{ algorithm: sha1, key_file: /x }] }\n", `algorithm: "sha1": one of ["hmac(sha1)" "cmac(aes128)" "hmac(sha256)"]`},
		{"two passwords of one address", "neighbors:\n  - { address: 192.0.2.1, asn: 1, password_env: EDGE_MD5 }\n  - { name: b, address: 192.0.2.1, asn: 2 }\n", "password_file: 192.0.2.1 is the address of neighbors[0] too"},
		{"a password in the file", "neighbors:\n  - { address: 192.0.2.1, asn: 1, password: x }\n", `unknown key "password" in neighbors[0]`},
		{"a dynamic prefix with host bits", "dynamic_neighbors:\n  - { prefix: 198.51.100.1/24, asn: 1 }\n", "did you mean 198.51.100.0/24?"},
		{"a dynamic prefix twice", "dynamic_neighbors:\n  - { prefix: 198.51.100.0/24, asn: 1 }\n  - { prefix: 198.51.100.0/24, asn: 2 }\n", "is the prefix of dynamic_neighbors[0] too"},
		{"a dynamic neighbor without prefix", "dynamic_neighbors:\n  - asn: 1\n", "f.yaml:4:5: prefix is missing"},
		{"AS_TRANS as a neighbor", "neighbors:\n  - { address: 192.0.2.1, asn: 23456 }\n", "f.yaml:4:32: asn: 23456 is AS_TRANS"},
		{"65535 as a neighbor", "neighbors:\n  - { address: 192.0.2.1, asn: 65535 }\n", "asn: 65535 is reserved (RFC 7300)"},
		{"AS 0 as a neighbor", "neighbors:\n  - { address: 192.0.2.1, asn: 0 }\n", "asn: 0 is reserved (RFC 7607)"},
		{"AS 0 among dynamic neighbors", "dynamic_neighbors:\n  - { prefix: 198.51.100.0/24, asn: [1, 0] }\n", "f.yaml:4:37: asn: 0 is reserved (RFC 7607)"},
		{"AS_TRANS among dynamic neighbors", "dynamic_neighbors:\n  - { prefix: 198.51.100.0/24, asn: 23456 }\n", "asn: 23456 is AS_TRANS"},
		{"65535 among dynamic neighbors", "dynamic_neighbors:\n  - { prefix: 198.51.100.0/24, asn: 65535 }\n", "asn: 65535 is reserved (RFC 7300)"},
		{"the last AS number among dynamic neighbors", "dynamic_neighbors:\n  - { prefix: 198.51.100.0/24, asn: 4294967295 }\n", "RFC 7300"},
		{"AS_TRANS as the own AS towards a neighbor", "neighbors:\n  - { address: 192.0.2.1, asn: 1, local_asn: 23456 }\n", "f.yaml:4:46: local_asn: 23456 is AS_TRANS"},
		{"a role that is none", "neighbors:\n  - { address: 192.0.2.1, asn: 1, role: upstream }\n", `f.yaml:4:41: role: "upstream": one of provider, rs, rs-client, customer, peer`},
		{"a role towards the own AS", "neighbors:\n  - { address: 192.0.2.1, asn: 64500, role: peer }\n", "role: is for peers of another AS"},
		{"a role towards the own AS by local_asn", "neighbors:\n  - { address: 192.0.2.1, asn: 1, local_asn: 1, role: peer }\n", "role: is for peers of another AS"},
		{"a strict role without a role", "neighbors:\n  - { address: 192.0.2.1, asn: 1, role_strict: true }\n", "role_strict: is about role, which is missing"},
		{"the own member AS as another", "neighbors:\n  - { address: 192.0.2.1, asn: 64500, confederation: true }\n", "confederation: is for peers in another member AS"},
		{"a listener without port", neighbor + "http: { listen: localhost }\n", `f.yaml:5:17: listen: "localhost": want host:port`},
		{"a web setting out of range", neighbor + "http: { max_connections: 0 }\n", "f.yaml:5:26: max_connections: 0: must be at least 1"},
		{"no searches at all", neighbor + "search: { searches: 0 }\n", "f.yaml:5:21: searches: 0: must be from 1 to 1000"},
		{"a search that may take no time", neighbor + "search: { search_time: 0s }\n", "search_time: 0s: must be positive"},
		{"a wait that is negative", neighbor + "search: { search_wait: -1s }\n", "search_wait"},
		{"a BGP listener by name", neighbor + "listen: ['localhost:179']\n", `listen: "localhost:179" is not an address and port`},
		{"a BGP listener twice", neighbor + "listen: [':179', '[::]:179']\n", "f.yaml:5:18: listen: [::]:179 stands here twice"},
		{"one address for both web listeners", neighbor + "admin: { listen: ':8080' }\n", "is the address of http.listen too"},
		{"a relative data_dir", neighbor + "data_dir: data\n", "f.yaml:5:11: data_dir: \"data\" is relative"},
		{"history without a place", neighbor + "history: { journal: 1d }\n", "f.yaml:5:10: history: without data_dir there is no place"},
		{"a history that is too small", neighbor + "data_dir: /x\nhistory: { max_size: 1MB }\n", "f.yaml:6:22: max_size: 1000000: must be"},
		{"a tier without an age", neighbor + "data_dir: /x\nhistory: { keep: [{ every: 1h }] }\n", "f.yaml:6:19: keep: every and for must be positive"},
		{"days in the wrong place", neighbor + "data_dir: /x\nhistory: { journal: 3h2d }\n", `"3h2d" is not a duration such as 90s, 2h30m, 2d or 4w`},
		{"more weeks than time has", neighbor + "data_dir: /x\nhistory: { journal: 99999w }\n", `"99999w" is not a duration`},
		{"a unit without a number", neighbor + "data_dir: /x\nhistory: { journal: d }\n", `"d" is not a duration`},
		{"memory in words", neighbor + "memory: { limit: lots }\n", `limit: "lots" is not an amount of memory`},
		{"memory too small to run in", neighbor + "memory: { limit: 1MiB }\n", "too little to run in"},
		{"a log level that is none", neighbor + "log: { level: inf }\n", `level: unknown value "inf": did you mean "info"?`},
		{"a log format that is none", neighbor + "log: { format: xml }\n", `format: unknown value "xml": have text, json`},
		{"an unknown key of the site", neighbor + "site: { names: x }\n", `f.yaml:5:9: unknown key "names" in site: did you mean "name"?`},
		{"a colour that is none", neighbor + "site: { colour: teal }\n", `f.yaml:5:17: colour: "teal" is not a colour such as "#0b6e75"`},
		{"a colour that YAML takes for a comment", neighbor + "site:\n  colour: #0b6e75\n", "colour has no value"},
		{"a colour that cannot be read", neighbor + "site: { colour: \"#ffff00\" }\n", "f.yaml:5:17: colour: #ffff00 has a contrast of 1.05:1 with #fdfdfc"},
		{"a logo that is not there", neighbor + "site: { logo: /does/not/exist.svg }\n", "f.yaml:5:15: logo: cannot be read: stat /does/not/exist.svg: no such file"},
		{"a file of a page that is not there", neighbor + "site:\n  pages:\n    - { title: A, path: a, file: /does/not/exist.md }\n", "f.yaml:7:34: file: cannot be read"},
		{"a page without a path", neighbor + "site: { pages: [{ title: A, file: /dev/null }] }\n", "f.yaml:5:17: path: is missing"},
		{"a link that runs", neighbor + "site: { links: [{ text: x, url: 'javascript:1' }] }\n", `f.yaml:5:33: url: "javascript:1" is not an http, https or mailto URL`},
		{"a contact that is none", neighbor + "site: { contact: me }\n", `f.yaml:5:18: contact: "me" is neither a mail address`},
		{"an alias without anchor", "neighbors:\n  - *edge\n", "f.yaml:4:5: there is no anchor &edge"},
		{"an anchor that contains itself", "neighbors:\n  - &n { <<: *n }\n", "nested too deeply"},
		{"a demo speaker on an open listener", neighbor + "demo: { speakers: [{ neighbor: a, feed: full }] }\n", "needs a loopback address, not 192.0.2.1"},
		{"a demo speaker without neighbor", neighbor + "demo: { speakers: [{ neighbor: b, feed: full }] }\n", `there is no neighbor "b"`},
		{"a demo feed that is none", neighbor + "demo: { speakers: [{ neighbor: a, feed: fulll }] }\n", `did you mean "full"?`},
	} {
		t.Run(row.name, func(t *testing.T) {
			text, whole := strings.CutPrefix(row.text, "!")
			if !whole {
				text = "asn: 64500\nrouter_id: 192.0.2.10\n" + text
			}
			_, err := parseText(t, text)
			if err == nil {
				t.Fatalf("accepted:\n%s", text)
			}
			if !strings.Contains(err.Error(), row.want) {
				t.Errorf("error of\n%s\n got: %v\nwant: %s", text, err, row.want)
			}
		})
	}
}

func TestACaretStandsBelowTheMistake(t *testing.T) {
	_, err := parseText(t, minimal+"http:\n  lisen: ':80'\n")
	const want = "f.yaml:6:3: unknown key \"lisen\" in http: did you mean \"listen\"?\n" +
		"    6 |   lisen: ':80'\n" +
		"      |   ^"
	if err == nil || err.Error() != want {
		t.Errorf("error =\n%v\nwant\n%s", err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte("a: &a [*a]\n<<: *a\n"))
	f.Add([]byte("? [a]\n: {b: !!int x}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		none := func(string) (string, bool) { return "", false }
		cfg, err := parseConfig("f.yaml", text, Overrides{}, none)
		if (cfg == nil) == (err == nil) {
			t.Errorf("parseConfig(%q) = %v, %v; want one of both", text, cfg, err)
		}
	})
}

// TestSecretsAreNotShown has lines that people write secrets in; the error shows the
// line and the caret, not the secret.
func TestSecretsAreNotShown(t *testing.T) {
	const secret = "Wq3v9Zr2"
	for _, text := range []string{
		"neighbors:\n  - { address: 192.0.2.1, asn: 1, password: " + secret + " }\n",
		"neighbors:\n  - { address: 192.0.2.1, asn: 1, password: '" + secret + ", x', add_path: yes }\n",
		"neighbors:\n  - address: 192.0.2.1\n    md5: " + secret + "\n    asn: 1\n",
		"neighbors:\n  - { password: \"" + secret + "\", address: 192.0.2.256, asn: 1 }\n",
		"neighbors:\n  - { address: 192.0.2.1, asn: 1, tcp_ao: [{ send_id: 1, recv_id: 1, key: " + secret + " }] }\n",
		"password: " + secret + " # " + "of all\n",
		"TCP_MD5_Password : [" + secret + "\n",
		"secret: " + secret + "\n",
		"secret: 'x''" + secret + "'\n",
		"secret: x, y}" + secret + "\n",
	} {
		_, err := parseConfig("f.yaml", []byte("asn: 64500\nrouter_id: 192.0.2.10\n"+text), Overrides{}, func(string) (string, bool) { return "", false })
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: the error is\n%v", text, err)
		}
	}
}

func TestTheCaretFollowsWhatIsConcealed(t *testing.T) {
	for _, row := range []struct {
		line, want string
		at, moved  int
	}{
		{"{ password: aaaaaaaaaa, hold: x }", "{ password: ***, hold: x }", 25, 18},
		{"{ password: a, hold: x }", "{ password: ***, hold: x }", 16, 18},
		{"{ hold: x, md5: aaaaaaaaaa }", "{ hold: x, md5: *** }", 3, 3},
		{"password_file: /etc/x", "password_file: /etc/x", 1, 1},
		{"key_file: /etc/x", "key_file: /etc/x", 1, 1},
	} {
		if got, moved := conceal(row.line, row.at); got != row.want || moved != row.moved {
			t.Errorf("conceal(%q, %d) = %q, %d; want %q, %d", row.line, row.at, got, moved, row.want, row.moved)
		}
	}
}
