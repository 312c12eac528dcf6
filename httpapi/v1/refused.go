package v1

import (
	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
)

func refused(q *asked) (any, error) { return RefusedOf(q.reader), nil }

// RefusedOf describes the last connections that got no session.
func RefusedOf(r *ask.Reader) answer.RefusedConnections {
	list, errs := r.Refused()
	all := answer.RefusedConnections{At: r.Now().UTC(), Attempts: make([]answer.Attempt, len(list)), TCPMD5: answer.MD5Errors(errs)}
	for i, one := range list {
		all.Attempts[i] = answer.Attempt{
			First: one.First.UTC(), Last: one.Last.UTC(), Count: one.Count, Address: one.Address.String(), ASN: one.ASN,
			Peer: one.Peer, Reason: one.Reason, Text: one.Text,
		}
		if one.Rule.IsValid() {
			all.Attempts[i].Rule = one.Rule.String()
		}
	}
	return all
}
