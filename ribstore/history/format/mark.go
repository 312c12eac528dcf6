package format

import (
	"encoding/binary"
	"fmt"
)

// Mark says of a stretch of a run that the journal does not have all that a peer
// said then.
type Mark struct {
	Run      uint32
	From, To int64 // milliseconds since 1970; at To and later everything is right again
	Peer     uint32
	Lost     bool   // the state of the peer is not known in the stretch; else only changes on the way to its last state are missing
	Changes  uint64 // that were left out,
	Octets   uint64 // and what they would have taken
}

// Key returns the key of a mark. Keys sort by run and begin.
func (m *Mark) Key() []byte {
	b := be64(be32(make([]byte, 0, markKeyLen), m.Run), uint64(m.From))
	b = be32(b, m.Peer)
	if m.Lost {
		return append(b, 1)
	}
	return append(b, 0)
}

const markKeyLen = 4 + 8 + 4 + 1

// Encode returns the stored value of a mark.
func (m *Mark) Encode(c *Codec) []byte {
	b := appendZigzag(m.Key(), m.To)
	b = binary.AppendUvarint(b, m.Changes)
	return c.fast.EncodeAll(binary.AppendUvarint(b, m.Octets), nil)
}

// DecodeMark reads the mark that is stored under a key.
func DecodeMark(c *Codec, key, stored []byte) (Mark, error) {
	b, err := c.open(nil, stored)
	r := reader{b: b}
	filed := r.take(markKeyLen)
	switch {
	case err != nil:
	case string(filed) != string(key):
		err = Damagedf("it is filed as another one")
	}
	m := Mark{To: r.varint(), Changes: r.uvarint(), Octets: r.uvarint()}
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return Mark{}, fmt.Errorf("mark %x: %w", key, err)
	}
	m.Run, m.From = binary.BigEndian.Uint32(key), int64(binary.BigEndian.Uint64(key[4:]))
	m.Peer, m.Lost = binary.BigEndian.Uint32(key[12:]), key[16] != 0
	return m, nil
}
