// Package httpapi puts the web server together: it mounts the faces on the edge
// and gives them a desk to ask at.
//
//	web    the edge: listen, guard, limits, negotiation, parameters, problems, streams
//	ask    a question and how it is answered: readers, requests, every URL of a page
//	v1     the API          answer   its JSON, declared once
//	page   the pages        admin    metrics, health and commands
//	compat one package for each interface of another program that Ribglass speaks
//
// Arrows run from page to v1 to ask to web. A face is a [web.Face]: rows of
// paths and handlers, and how it fails. A new face is a package beside v1 and a
// line in [New].
package httpapi
