package wire

import (
	"encoding/binary"
	"fmt"
	"slices"

	"ribglass/ribstore/route"
)

// Report says what an UPDATE was besides its routes.
type Report struct {
	IsEndOfRIB bool
	EndOfRIB   route.Family // when IsEndOfRIB

	// Discarded are the attributes that were left out (RFC 7606 "attribute
	// discard"), and the prefixes of families that were not negotiated.
	Discarded []error
	// TooLong counts the attributes that were longer than Session.MaxAttribute.
	TooLong int

	// TreatedAsWithdraw is why all prefixes of the UPDATE were withdrawn
	// (RFC 7606 "treat-as-withdraw"), or nil: the error that comes first in the
	// message, for what follows it may be wrong because of it.
	TreatedAsWithdraw error

	// UnspecifiedNextHop tells that the next hop is 0.0.0.0 or ::, where
	// Session.UnspecifiedNextHop accepts it.
	UnspecifiedNextHop bool
}

// Decoder decodes the UPDATEs of one session. One goroutine uses it at a time;
// it must not be copied. Its memory is bounded by the largest UPDATE seen.
type Decoder struct {
	session Session
	found   []attribute // of the UPDATE at hand
	scratch []byte      // values that are not in the message as they are kept
}

// NewDecoder returns a Decoder for what was negotiated.
func NewDecoder(s Session) *Decoder { return &Decoder{session: s} }

// update is an UPDATE while it is being decoded. Its slices alias the message.
type update struct {
	withdrawn, unreach, nlri, reach nlriField

	attributes   []byte
	nextHop      []byte // of nlri
	reachNextHop []byte // of reach
	seen         codeSet
	repeated     codeSet
	foreign      bool // prefixes of a family that was not negotiated were announced
	report       Report
	fault        *attributeError // the first in the message that asks for treat-as-withdraw
	tooLong      []byte          // the value of route.AttrTooLong; nil: nothing was too long
	mark         route.Attrs     // of fault, in the memory of the Builder
}

// Update decodes the body of an UPDATE and appends its routes to into, the
// withdrawn ones first (RFC 4271 section 4.3: a prefix that is both withdrawn
// and announced is announced). Nothing in into aliases body.
//
// The error is a *Notification: the session must be reset, and nothing was
// appended; the Report still says what else was wrong. It allocates nothing while the UPDATE is good and into has room.
func (d *Decoder) Update(body []byte, into *Builder) (Report, error) {
	var u update
	start := into.mark()
	d.found, d.scratch = d.found[:0], d.scratch[:0]
	err := d.decode(&u, body, into)
	if err != nil {
		into.truncate(start)
	}
	if u.fault != nil {
		u.report.TreatedAsWithdraw = u.fault
	}
	return u.report, err
}

func (d *Decoder) decode(u *update, body []byte, into *Builder) error {
	if err := d.split(u, body); err != nil {
		return err
	}
	if err := d.walk(u); err != nil {
		return err
	}
	if d.isEndOfRIB(u) {
		return nil
	}
	if err := d.checkAll(u); err != nil {
		return err
	}
	if !d.session.FourOctetAS {
		d.mergeAS4(u)
	}
	d.checkMandatory(u)
	if err := d.escalate(u); err != nil {
		return err
	}
	return d.emit(u, into)
}

// split finds the three fields of the body. When the lengths contradict each
// other, the prefixes cannot be located (RFC 4271 section 6.3).
func (d *Decoder) split(u *update, body []byte) error {
	if len(body) < 4 {
		return updateError(UpdateMalformedAttributes, nil, "%d octets, want at least 4", len(body))
	}
	length := int(binary.BigEndian.Uint16(body))
	if length+4 > len(body) {
		return updateError(UpdateMalformedAttributes, nil, "withdrawn routes say %d octets, have %d", length, len(body)-4)
	}
	u.withdrawn = d.field(route.IPv4Unicast, body[2:2+length])
	body = body[2+length:]
	length = int(binary.BigEndian.Uint16(body))
	if length+2 > len(body) {
		return updateError(UpdateMalformedAttributes, nil, "path attributes say %d octets, have %d", length, len(body)-2)
	}
	u.attributes = body[2 : 2+length]
	u.nlri = d.field(route.IPv4Unicast, body[2+length:])
	return nil
}

func (d *Decoder) field(f route.Family, octets []byte) nlriField {
	return nlriField{family: f, addPath: d.session.AddPath[f], octets: octets}
}

// walk finds the attributes, each code once and in ascending order. An overrun
// ends the walk and makes the UPDATE a withdrawal (RFC 7606 section 4): the
// prefixes after the attributes are still where the total length says.
func (d *Decoder) walk(u *update) error {
	sorted, previous := true, -1
	for rest := u.attributes; len(rest) > 0; {
		a, next, fault := cutAttribute(rest, len(u.attributes)-len(rest))
		if fault != nil {
			u.withdrawFor(fault)
			break
		}
		rest = next
		if !u.seen.add(a.code) {
			if a.code == attrMPReach || a.code == attrMPUnreach { // RFC 7606 section 3 (g)
				return updateError(UpdateMalformedAttributes, nil, "%v", a.fault(UpdateMalformedAttributes, "twice"))
			}
			if u.repeated.add(a.code) { // said once, however many there are
				u.discard(a.fault(UpdateMalformedAttributes, repeatedAttribute))
			}
			continue
		}
		sorted = sorted && int(a.code) > previous
		previous = int(a.code)
		d.found = append(d.found, a)
	}
	if !sorted {
		slices.SortFunc(d.found, func(a, b attribute) int { return int(a.code) - int(b.code) })
	}
	return nil
}

// codeSet is a set of attribute codes.
type codeSet [4]uint64

// add puts code into the set and reports whether it is new there.
func (s *codeSet) add(code route.AttrCode) bool {
	word, bit := &s[code/64], uint64(1)<<(code%64)
	isNew := *word&bit == 0
	*word |= bit
	return isNew
}

func (s *codeSet) has(code route.AttrCode) bool { return s[code/64]&(1<<(code%64)) != 0 }

// withdrawFor notes that the announcements become withdrawals; the reason that
// comes first in the message is the one reported.
func (u *update) withdrawFor(fault *attributeError) {
	if u.fault == nil || fault.at < u.fault.at {
		u.fault = fault
	}
}

func (u *update) discard(err error) { u.report.Discarded = append(u.report.Discarded, err) }

// isEndOfRIB recognises the marker (RFC 4724 section 2): an UPDATE without
// anything, or with an empty MP_UNREACH_NLRI alone.
func (d *Decoder) isEndOfRIB(u *update) bool {
	if len(u.withdrawn.octets) > 0 || len(u.nlri.octets) > 0 || u.fault != nil {
		return false
	}
	f, known := route.IPv4Unicast, true
	if len(u.attributes) > 0 {
		if len(d.found) != 1 || len(d.found[0].value) != 3 || !d.found[0].isUnreach() {
			return false
		}
		v := d.found[0].value
		f, known = route.FamilyOf(binary.BigEndian.Uint16(v), v[2])
	}
	if known && d.session.Families[f] {
		u.report.IsEndOfRIB, u.report.EndOfRIB = true, f
	}
	return true
}

// checkAll applies the rules of each attribute and keeps in found those that
// belong into the set, AS numbers widened.
func (d *Decoder) checkAll(u *update) error {
	kept := d.found[:0]
	for _, a := range d.found {
		if a.code == attrMPReach || a.code == attrMPUnreach {
			if err := d.multiprotocol(u, a); err != nil {
				return err
			}
			continue
		}
		if a.code == route.AttrNextHop {
			d.nextHop(u, a)
			continue
		}
		switch found, fault := d.check(&a); found {
		case keep:
			if most := d.session.MaxAttribute; most > 0 && len(a.value) > most {
				d.shorten(u, &a)
				continue
			}
			kept = append(kept, a)
		case discard:
			u.discard(fault)
		case withdraw:
			u.withdrawFor(fault)
		case reset:
			return &Notification{Code: CodeUpdate, Subcode: fault.subcode, Data: a.append(nil), Reason: fault.Error()}
		}
	}
	d.found = kept
	if u.tooLong != nil {
		at, _ := slices.BinarySearchFunc(d.found, route.AttrTooLong, func(a attribute, code route.AttrCode) int { return int(a.code) - int(code) })
		d.found = slices.Insert(d.found, at, attribute{code: route.AttrTooLong, value: u.tooLong[1:]})
	}
	return nil
}

// shorten notes that an attribute is too long. An AS_PATH decides too much to be
// left out: its announcement is treated as a withdrawal.
func (d *Decoder) shorten(u *update, a *attribute) {
	u.report.TooLong++
	if a.code == route.AttrASPath {
		u.withdrawFor(a.fault(UpdateMalformedASPath, fmt.Sprintf("%d octets, max_attribute_length is %d", len(a.value), d.session.MaxAttribute)))
		return
	}
	u.tooLong = route.AppendTooLong(u.tooLong, a.code, a.flags&(flagOptional|flagTransitive|flagPartial), a.value)
}

// checkMandatory asks for the attributes that every announcement has (RFC 7606
// section 3 (d)).
func (d *Decoder) checkMandatory(u *update) {
	if len(u.nlri.octets) == 0 && len(u.reach.octets) == 0 {
		return
	}
	missing := func(code route.AttrCode) {
		u.withdrawFor(&attributeError{code, UpdateMissingWellKnown, len(u.attributes), "missing"})
	}
	switch {
	case !u.seen.has(route.AttrOrigin):
		missing(route.AttrOrigin)
	case !u.seen.has(route.AttrASPath):
		missing(route.AttrASPath)
	case len(u.nlri.octets) > 0 && !u.seen.has(route.AttrNextHop):
		missing(route.AttrNextHop)
	}
}

// escalate resets the session where a faulty UPDATE announces nothing that could
// be withdrawn instead: prefixes may have been lost (RFC 7606 section 5.2). An
// MP_UNREACH_NLRI alone announces nothing rightly.
func (d *Decoder) escalate(u *update) error {
	var unreach codeSet
	if unreach.add(attrMPUnreach); u.seen == unreach && u.fault != nil && u.fault.subcode == UpdateAttributeFlags {
		return nil
	}
	if u.fault == nil || len(u.nlri.octets) > 0 || len(u.reach.octets) > 0 || u.foreign {
		return nil
	}
	return updateError(u.fault.subcode, nil, "%v, and no prefix is announced", u.fault)
}

// emit appends the routes. Prefixes that cannot be read reset the session
// (RFC 7606 section 5.3): those of the fixed fields by RFC 4271 section 6.3, those
// of the attributes by RFC 4760 section 7.
func (d *Decoder) emit(u *update, into *Builder) error {
	if d.session.Families[route.IPv4Unicast] {
		if err := into.add(nil, u.withdrawn); err != nil {
			return updateError(UpdateInvalidNetwork, nil, "withdrawn routes: %v", err)
		}
	}
	if err := into.add(nil, u.unreach); err != nil {
		return updateError(UpdateOptionalAttribute, nil, "%v", route.Fault{Code: attrMPUnreach, Reason: err.Error()})
	}
	switch {
	case len(u.nlri.octets) == 0:
	case !d.session.Families[route.IPv4Unicast]:
		u.discard(fmt.Errorf("prefixes of %s, which was not negotiated", route.IPv4Unicast))
	default:
		if err := into.add(d.attrs(u, into, u.nextHop), u.nlri); err != nil {
			return updateError(UpdateInvalidNetwork, nil, "announced routes: %v", err)
		}
	}
	if len(u.reach.octets) > 0 {
		if err := into.add(d.attrs(u, into, u.reachNextHop), u.reach); err != nil {
			return updateError(UpdateOptionalAttribute, nil, "%v", route.Fault{Code: attrMPReach, Reason: err.Error()})
		}
	}
	return nil
}

// attrs appends the canonical set with the next hop to the memory of into; the mark
// of the fault when the announcement is treated as a withdrawal.
func (d *Decoder) attrs(u *update, into *Builder, nextHop []byte) route.Attrs {
	start := len(into.attrs)
	if u.fault != nil {
		if u.mark == nil {
			into.attrs = route.AppendFault(into.attrs, u.fault.forPeople())
			u.mark = into.attrs[start:len(into.attrs):len(into.attrs)]
		}
		return u.mark
	}
	b, placed := route.Attrs(into.attrs), false
	for i := range d.found {
		a := &d.found[i]
		if !placed && a.code > route.AttrNextHop {
			b, placed = b.AppendAttr(route.AttrNextHop, nextHop), true
		}
		b = a.appendTo(b)
	}
	if !placed {
		b = b.AppendAttr(route.AttrNextHop, nextHop)
	}
	into.attrs = b
	return b[start:len(b):len(b)]
}

func updateError(subcode uint8, data []byte, format string, args ...any) *Notification {
	return &Notification{Code: CodeUpdate, Subcode: subcode, Data: data, Reason: fmt.Sprintf(format, args...)}
}
