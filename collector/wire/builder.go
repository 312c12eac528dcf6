package wire

import (
	"unsafe"

	"ribglass/ribstore/route"
)

// Builder owns the memory of the updates decoded for one batch. The zero value
// is ready; it must not be copied, and one goroutine uses it at a time. Reset
// keeps the memory for the next batch, so that a Builder of steady use allocates
// nothing.
type Builder struct {
	attrs   []byte
	nlri    []route.NLRI
	updates []route.Update
}

// Updates returns what was decoded since the last Reset, in order. It is valid
// until the next call of Reset.
func (b *Builder) Updates() []route.Update { return b.updates }

// Len returns the count of prefixes held.
func (b *Builder) Len() int { return len(b.nlri) }

// Bytes returns roughly how much memory the updates take.
func (b *Builder) Bytes() int {
	return len(b.attrs) + len(b.nlri)*int(unsafe.Sizeof(route.NLRI{})) + len(b.updates)*int(unsafe.Sizeof(route.Update{}))
}

// Reset forgets the updates and takes their memory back.
func (b *Builder) Reset() {
	b.attrs, b.nlri, b.updates = b.attrs[:0], b.nlri[:0], b.updates[:0]
}
