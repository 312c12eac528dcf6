package wire

import (
	"bytes"
	"unsafe"

	"ribglass/ribstore/route"
)

// Builder owns the memory of the updates decoded for one batch. The zero value
// is ready; it must not be copied, and one goroutine uses it at a time. Reset
// keeps the memory for the next batch, so that a Builder of steady use allocates
// nothing.
type Builder struct {
	// Updates point into attrs and nlri. When append moves one of these, what
	// points to the old memory stays right: nothing in it changes before Reset.
	attrs   []byte
	nlri    []route.NLRI
	updates []route.Update
}

// Updates returns what was decoded since the last Reset, in order. It is valid
// until the next call of Reset.
func (b *Builder) Updates() []route.Update { return b.updates }

// Len returns the count of prefixes held.
func (b *Builder) Len() int { return len(b.nlri) }

// Bytes returns roughly how much memory the updates take. One UPDATE adds at
// most a few megabytes, so a caller who flushes above a limit bounds it.
func (b *Builder) Bytes() int {
	return len(b.attrs) + len(b.nlri)*int(unsafe.Sizeof(route.NLRI{})) + len(b.updates)*int(unsafe.Sizeof(route.Update{}))
}

// Reset forgets the updates and takes their memory back.
func (b *Builder) Reset() { b.truncate(builderMark{}) }

// Announce appends one prefix with attributes that were decoded before, which are
// copied; consecutive prefixes of a family with equal attributes share an Update.
func (b *Builder) Announce(f route.Family, attrs route.Attrs, n route.NLRI) {
	if last := len(b.updates) - 1; last >= 0 {
		if u := &b.updates[last]; u.Family == f && bytes.Equal(u.Attrs, attrs) {
			start := len(b.nlri) - len(u.NLRI)
			b.nlri = append(b.nlri, n)
			u.NLRI = b.nlri[start:len(b.nlri):len(b.nlri)]
			return
		}
	}
	start := len(b.attrs)
	b.attrs = append(b.attrs, attrs...)
	b.nlri = append(b.nlri, n)
	end := len(b.nlri)
	b.updates = append(b.updates, route.Update{
		Family: f, Attrs: b.attrs[start:len(b.attrs):len(b.attrs)], NLRI: b.nlri[end-1 : end : end],
	})
}

// builderMark is a state of a Builder to go back to.
type builderMark struct{ attrs, nlri, updates int }

func (b *Builder) mark() builderMark {
	return builderMark{len(b.attrs), len(b.nlri), len(b.updates)}
}

func (b *Builder) truncate(m builderMark) {
	b.attrs, b.nlri, b.updates = b.attrs[:m.attrs], b.nlri[:m.nlri], b.updates[:m.updates]
}

// add appends an update with the prefixes of field; none, no update.
func (b *Builder) add(attrs route.Attrs, field nlriField) error {
	start := len(b.nlri)
	nlri, err := appendNLRI(b.nlri, field)
	if err != nil {
		return err
	}
	b.nlri = nlri
	if len(nlri) > start {
		b.updates = append(b.updates, route.Update{
			Family: field.family, Attrs: attrs, NLRI: nlri[start:len(nlri):len(nlri)],
		})
	}
	return nil
}
