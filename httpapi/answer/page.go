package answer

import "ribglass/ribstore/route"

// Completions is the answer of GET /api/v1/complete: how a query that is being
// written could go on, and how what is there is understood. It has the query when
// it can be read, and the problem when it cannot.
type Completions struct {
	From    int          `json:"from"` // a completion stands for the characters from here
	To      int          `json:"to"`   // to here
	Items   []Completion `json:"items"`
	Query   *Understood  `json:"query,omitempty"`
	Problem *Misread     `json:"problem,omitempty"`
}

// Completion is a text that a query could go on with.
type Completion struct {
	Text  string `json:"text"`
	Kind  string `json:"kind"`
	Means string `json:"means,omitempty"`
}

// Understood says how a query is read.
type Understood struct {
	Canonical string   `json:"canonical"` // the query in full words
	Notes     []string `json:"notes,omitempty"`
}

// Misread says why a query cannot be read.
type Misread struct {
	Detail string `json:"detail"`
	Column int    `json:"column"` // in bytes from 1
}

// Whoami is the answer of GET /api/v1/whoami.
type Whoami struct {
	Address string `json:"address"` // of the client
}

// NameMatches is the answer of GET /api/v1/names: the ASes that a text may mean.
type NameMatches struct {
	Query string    `json:"query"` // what was asked
	ASes  []NamedAS `json:"ases"`
}

// NamedAS is an AS and its name.
type NamedAS struct {
	ASN  route.ASN `json:"asn"`
	Name string    `json:"name"`
}

// Site is the answer of GET /api/v1/site: what the operator says of the site.
// What the operator does not say is absent.
type Site struct {
	Name    string     `json:"name"`
	Contact string     `json:"contact,omitempty"` // an https or mailto URL
	Notice  string     `json:"notice,omitempty"`  // it stands on every page
	Links   []Link     `json:"links,omitempty"`
	Terms   *Terms     `json:"terms,omitempty"`
	Pages   []SitePage `json:"pages,omitempty"`
}

// Link is a link of the menu.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Terms say where the terms of use are.
type Terms struct {
	URL     string `json:"url"`
	Version string `json:"version"` // it changes with the text
}

// SitePage is a page that the operator wrote.
type SitePage struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}
