// Package collector holds what the sources of routes share. Each kind of source
// is a package of its own below this one:
//
//   - bgp peers with routers and keeps the BGP sessions.
//   - wire translates between BGP messages and values; every source uses it.
//   - player is a small BGP speaker that dials. Demonstrations, benchmarks and
//     tests use it in place of a router.
//
// A source decodes what it receives and sends [route.Batch] values to the channel
// it was given, by a [Batcher]. It knows neither the store that reads the channel nor
// the other sources. A setting that cannot work is a [FieldError], and a password is a
// [Secret].
package collector
