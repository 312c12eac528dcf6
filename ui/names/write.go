package names

import (
	"bufio"
	"fmt"
	"io"
)

// Write writes the names as lines that [ReadASNames] reads, in the order of AS
// numbers.
func (n *ASNames) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	for i := range n.Len() {
		fmt.Fprintf(b, "%d\t%s\n", n.asns[i], n.at(i)) // b remembers its error
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write names: %w", err)
	}
	return nil
}
