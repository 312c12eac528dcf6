// Package graph draws AS paths: all paths of an answer merged into one picture,
// the peers that sent them on the left, the origins on the right. It is given
// values and returns values; it asks nobody for anything and keeps nothing.
//
// What data meets, in this order: [New] takes each [Path] of an [Input], merges
// equal ones into a [Walk], makes a [Node] of every peer, AS and AS_SET and an
// [Edge] of every adjacency. When there are more than [Options] allow, what is
// least used is folded into nodes that stand for "n more ASes" in front of the
// node they lead to. Cycles are cut, every node gets a layer by its distance
// from the origin, an order within it that crosses few edges, and a place. A
// [Graph] is that picture; [Graph.SVG] and [Graph.Text] write it down.
//
// # What can be relied on
//
// The same input, in any order, gives the same bytes. An edge leads from a lower
// to a higher layer, but for those marked Back, which lead the other way because
// the paths contradict each other. Without folding every walk visits the nodes
// that its path names. Time and memory are bounded by the options, whatever the
// paths are: what is left out is counted, and the picture says so.
//
// # Hostile input
//
// Names of peers and ASes come from outside. They are cut, made printable and
// escaped here; the SVG has no script and no reference to anything but what the
// link functions return.
package graph
