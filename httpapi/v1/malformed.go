package v1

import (
	"encoding/hex"

	"ribglass/httpapi/answer"
)

// malformed answers with the last malformed messages of a peer.
func malformed(q *asked) (any, error) {
	name := q.Value("name")
	list, err := q.reader.Malformed(name)
	if err != nil {
		return nil, err
	}
	a := answer.Malformed{At: q.reader.Now().UTC(), Peer: name, Messages: make([]answer.MalformedMessage, len(list))}
	for i := range list {
		m := &list[i]
		one := answer.MalformedMessage{
			At: m.At.UTC(), Kind: string(m.Kind), Error: m.Error, More: m.More, RFC: m.RFC, PrefixCount: m.Total, Prefixes: []string{},
			Message: hex.EncodeToString(m.Message), Length: m.Length,
		}
		for _, n := range m.Prefixes {
			one.Prefixes = append(one.Prefixes, n.Prefix.String())
		}
		a.Messages[i] = one
	}
	return a, nil
}
