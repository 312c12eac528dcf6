package graph_test

import (
	"fmt"

	"ribglass/ribstore/route"
	"ribglass/ui/graph"
)

func ExampleGraph_Text() {
	path := func(ases ...byte) route.ASPath {
		value := []byte{2, byte(len(ases))} // an AS_SEQUENCE
		for _, one := range ases {
			value = append(value, 0, 0, 0, one)
		}
		return route.Attrs(nil).AppendAttr(route.AttrASPath, value).ASPath()
	}
	g := graph.New(graph.Input{Paths: []graph.Path{
		{Peer: "edge1", AS: path(10, 30), Best: true},
		{Peer: "edge2", AS: path(20, 20, 30)},
	}}, graph.DefaultOptions())
	fmt.Printf("%s", g.Text(graph.TextOptions{ASCII: true}))
	// Output:
	// > edge1  10 ----+- 30
	//   edge2  20 x2 -'
}
