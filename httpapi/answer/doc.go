// Package answer declares the JSON answers of the API, each once: the server
// writes them, the commands of the client read them, and a test compares them
// with the OpenAPI document. It holds values and how a route becomes one of
// them; it asks nothing and knows no HTTP.
//
// These rules hold for every type:
//
//   - A moment is a [time.Time] in UTC, written as RFC 3339. A moment that there
//     is not is absent.
//   - A number whose name ends in _seconds counts seconds, _bytes counts octets.
//     All other numbers count things.
//   - AS numbers are JSON numbers. Communities, addresses and prefixes are
//     strings.
//   - An address family is "ipv4-unicast" as a value and "ipv4_unicast" as the
//     name of a member.
//   - A member is always there unless the comment of its type says when it is
//     absent.
//
// The zero value of every type can be used. A copy shares slices and maps with
// the original. Values have no locks: several goroutines may read one value, and
// only its owner may change it.
package answer
