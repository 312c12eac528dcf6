package answer

import "ribglass/ribstore/route"

// Graph is the answer of GET /api/v1/graph: the picture of the AS paths of an
// answer.
type Graph struct {
	Query Asked `json:"query"`

	Moment

	Total       int         `json:"total"`           // routes of the whole answer
	Routes      int         `json:"routes"`          // routes whose paths were read
	LeftPaths   int         `json:"left_out_paths"`  // distinct paths that are too many, the least used
	LeftRoutes  int         `json:"left_out_routes"` // routes of these paths
	FoldedASes  int         `json:"folded_ases"`     // ASes that are no nodes of their own
	FoldedPeers int         `json:"folded_peers"`    // peers that are no nodes of their own
	Layers      int         `json:"layers"`
	Nodes       []GraphNode `json:"nodes"`
	Edges       []GraphEdge `json:"edges"`
	Paths       []GraphPath `json:"paths"`
}

// GraphNode is a node of a picture: a peer, an AS, a set of ASes, or several that
// are folded into one.
type GraphNode struct {
	ID          int            `json:"id"`   // its index in the list of nodes
	Kind        string         `json:"kind"` // "peer", "as", "as-set", "confed-as", "confed-set" or "folded"
	ASN         route.ASN      `json:"asn,omitempty"`
	ASNs        []route.ASN    `json:"asns,omitempty"` // of a set
	Peer        string         `json:"peer,omitempty"`
	Label       string         `json:"label"`
	Layer       int            `json:"layer"`
	Paths       int            `json:"paths"`  // distinct paths through it
	Routes      int            `json:"routes"` // routes with these paths
	Best        bool           `json:"best"`   // a best route goes through it
	Origin      bool           `json:"origin"` // a path ends at it
	Prepends    []GraphPrepend `json:"prepends,omitempty"`
	FoldedASes  int            `json:"folded_ases,omitempty"`
	FoldedPeers int            `json:"folded_peers,omitempty"`
}

// GraphPrepend says how many routes have an AS how many times in a row.
type GraphPrepend struct {
	Times  int `json:"times"`
	Routes int `json:"routes"`
}

// GraphEdge leads from one node to another.
type GraphEdge struct {
	From   int  `json:"from"` // the ID of a node
	To     int  `json:"to"`
	Paths  int  `json:"paths"`
	Routes int  `json:"routes"`
	Best   bool `json:"best"`
	Back   bool `json:"back"` // it leads back to an earlier layer
}

// GraphPath is a distinct path and the nodes it goes through.
type GraphPath struct {
	Peer   string `json:"peer"`
	ASPath string `json:"as_path_text"`
	Routes int    `json:"routes"`
	Best   bool   `json:"best"`
	Nodes  []int  `json:"nodes"` // the IDs of nodes
}
