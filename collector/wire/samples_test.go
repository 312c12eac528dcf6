package wire

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// forEachSample calls f with every BGP message of testdata and, where it is
// there, of the shared data.
func forEachSample(t *testing.T, f func(sample)) {
	t.Helper()
	samplesIn(t, "testdata", "testdata", f)
	shared := sharedData()
	if shared == "" {
		if os.Getenv("RIBGLASS_SHARED") != "" {
			t.Fatal("no shared data where RIBGLASS_SHARED says")
		}
		t.Log("skipped: no shared data (set RIBGLASS_SHARED to its directory); compared testdata only")
		return
	}
	samplesIn(t, filepath.Join(shared, "vectors"), filepath.Join(shared, "mrt"), f)
}

// sharedData returns the directory of real data beside the repository, or "".
func sharedData() string {
	dir := os.Getenv("RIBGLASS_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	for _, candidate := range []string{filepath.Join(dir, "data"), dir} {
		if _, err := os.Stat(filepath.Join(candidate, "vectors")); err == nil {
			return candidate
		}
	}
	return ""
}

func samplesIn(t *testing.T, vectors, mrt string, f func(sample)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(vectors, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, s := range vectorSamples(t, file) {
			f(s)
		}
	}
	dumps, err := os.ReadDir(mrt)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dumps {
		if !d.IsDir() && !strings.HasSuffix(d.Name(), ".jsonl") && !strings.HasSuffix(d.Name(), ".md") && !strings.Contains(d.Name(), "rib") {
			mrtSamples(t, filepath.Join(mrt, d.Name()), f)
		}
	}
}

// vectorSamples reads the framed BGP messages of a file of vectors.
func vectorSamples(tb testing.TB, file string) []sample {
	tb.Helper()
	type row struct {
		ID        string   `json:"id"`
		Hex       string   `json:"hex"`
		UpdateHex string   `json:"update_hex"`
		Conf      []string `json:"conf"`
	}
	var list []sample
	for _, r := range readJSONL[row](tb, file) {
		message := mustHex(tb, r.Hex+r.UpdateHex)
		if !bytes.HasPrefix(message, bytes.Repeat([]byte{0xff}, 16)) {
			continue
		}
		s := sample{id: r.ID, message: message, ibgp: true}
		s.addPath = slices.Contains(r.Conf, "conf-addpath.conf") || slices.Contains(r.Conf, "conf-path-information.conf") ||
			strings.HasPrefix(r.ID, "tcpdump-bgp-addpath")
		list = append(list, s)
	}
	return list
}

// mrtSamples reads the BGP4MP messages of an MRT file (RFC 6396 section 4.4, RFC
// 8050). Damaged records end the file.
func mrtSamples(tb testing.TB, file string, f func(sample)) {
	tb.Helper()
	r, err := os.Open(file)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var in io.Reader = r
	switch filepath.Ext(file) {
	case ".gz":
		if in, err = gzip.NewReader(r); err != nil {
			tb.Fatal(err)
		}
	case ".bz2":
		in = bzip2.NewReader(r)
	}
	for {
		var h [12]byte
		if _, err := io.ReadFull(in, h[:]); err != nil {
			return
		}
		length := binary.BigEndian.Uint32(h[8:])
		if length > 1<<20 {
			return
		}
		record := make([]byte, length)
		if _, err := io.ReadFull(in, record); err != nil {
			return
		}
		s, err := bgp4mp(binary.BigEndian.Uint16(h[4:]), binary.BigEndian.Uint16(h[6:]), record)
		if err == nil {
			s.id = filepath.Base(file)
			f(s)
		}
	}
}

var errNotAMessage = errors.New("not a BGP4MP message")

func bgp4mp(kind, subtype uint16, b []byte) (s sample, err error) {
	const bgp4mpType, bgp4mpET = 16, 17
	if kind == bgp4mpET && len(b) > 4 {
		b = b[4:]
	} else if kind != bgp4mpType {
		return s, errNotAMessage
	}
	octets := 2
	switch s.four = sizeTwo; subtype {
	case 1, 6, 8, 10:
	case 4, 7, 9, 11:
		s.four, octets = sizeFour, 4
	default:
		return s, errNotAMessage
	}
	s.addPath = subtype >= 8
	address := 4
	if at := 2*octets + 2; len(b) < at+2 {
		return s, errNotAMessage
	} else if binary.BigEndian.Uint16(b[at:]) == 2 {
		address = 16
	}
	start := 2*octets + 4 + 2*address
	if len(b) < start+HeaderLen {
		return s, errNotAMessage
	}
	s.ibgp = bytes.Equal(b[:octets], b[octets:2*octets])
	s.message = b[start:]
	return s, nil
}
