package demo

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/route"
)

//go:embed routes.mrt.zst
var recorded []byte

// entry is one route of the recorded table.
type entry struct {
	peer   route.ASN // that announced it to the recorder
	family route.Family
	prefix netip.Prefix
	attrs  route.Attrs
}

// load reads the recorded table.
func load() ([]entry, error) {
	reader, err := mrt.NewReader(bytes.NewReader(recorded))
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var (
		entries []entry
		peers   []mrt.Peer
		decoder = mrt.NewDecoder()
	)
	for {
		record, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		switch record := record.(type) {
		case *mrt.PeerIndex:
			peers = record.Peers
		case *mrt.RIB:
			if entries, err = appendRIB(entries, peers, decoder, record); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("a record of type %T in a table", record)
		}
	}
}

func appendRIB(entries []entry, peers []mrt.Peer, decoder *mrt.Decoder, rib *mrt.RIB) ([]entry, error) {
	for _, e := range rib.Entries {
		attrs, _, err := decoder.Attrs(rib, e)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{peers[e.Peer].ASN, rib.Family, rib.Prefix, slices.Clone(attrs)})
	}
	return entries, nil
}
