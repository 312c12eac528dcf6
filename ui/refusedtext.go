package ui

import "strconv"

func (p *RefusedConnections) text(w *textWriter) {
	if m := p.MD5; m.Wrong+m.Missing+m.Unexpected > 0 {
		w.line("TCP-MD5: the kernel dropped %d segments with a wrong key, %d without one and %d with one too many.", m.Wrong, m.Missing, m.Unexpected)
		w.line("")
	}
	if len(p.Attempts) == 0 {
		w.line("No connection was refused since the start.")
		return
	}
	rows := [][]string{{"Address", "AS", "Peer", "Times", "Last", "Reason"}}
	for i := range p.Attempts {
		one := &p.Attempts[i]
		asn := ""
		if one.ASN != 0 {
			asn = one.ASN.String()
		}
		rows = append(rows, []string{one.Address.String(), asn, one.Peer, strconv.FormatUint(one.Count, 10), utc(one.Last), one.Text})
	}
	w.table("", rows)
}
