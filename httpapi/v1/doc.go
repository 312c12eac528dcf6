// Package v1 is the JSON interface below /api/v1, described by an OpenAPI
// document. Each call is one declared row: its path, the forms of its answer, its
// parameters, how they are read and how it answers. The values that become JSON
// are declared in package answer; routes, changes and differences, of which there
// may be many, are appended to a buffer instead, and tests hold these bytes
// against the declared values.
//
// The pages give the same answers in their JSON form and take them from here.
package v1
