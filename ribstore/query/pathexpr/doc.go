// Package pathexpr compiles regular expressions over AS paths, in the forms
// that routers know, into a deterministic automaton and matches
// [route.ASPath] values against it. It is pure: no goroutine, no I/O, no state
// between calls.
//
// Data meets the types in this order. [Compile] reads an expression in one
// [Dialect] into a syntax tree over the characters of a printed path, and the
// tree into an automaton; the result is a [Pattern], which also prints itself
// in our form and names the AS numbers without which nothing can match. A
// [Matcher] walks paths through the automaton an AS number at a time.
//
// # Our form
//
// Our form is that of Cisco, FRR, Quagga and Arista: an unanchored regular
// expression over the text of [route.ASPath.String], such as
// "3257 13335 {64502,64503}". A digit, a space and a comma stand for themselves,
// as do the characters { } ( ) [ ] after a backslash. The rest is
//
//	.            one character
//	[0-9] [^1]   one character out of a class, or outside of it
//	* + ?        repeat what is before; also {3} {1,3} {2,}, up to 64
//	( ) |        group, alternatives
//	^ $          the start and the end of the path
//	_            a delimiter: a space, comma, brace, parenthesis or bracket, or
//	             the start or the end of the path, which have no width
//
// Digits are characters, as on routers: 645 matches the path "64500", and
// _645_ does not. Two delimiters in a row need two: ^64500_.*_64510$ does not
// match "64500 64510", ^64500(_.*)?_64510$ does. A class such as [64512-65534]
// is one character, as on routers; ranges of AS numbers are Junos or BIRD.
// AS numbers are matched in asplain; asdot is for the other two dialects.
//
// # Junos and BIRD
//
// Both match the whole path and are made of AS numbers, asplain or asdot. Junos:
// terms are an AS number, a range 64512-65534, a dot for any one AS, and groups
// in parentheses; * + ? {m} {m,n} {m,} stand directly after their term; a bar
// separates alternatives and binds weakest; () is the empty path; ^ and $ may
// stand at the ends and mean nothing. BIRD: [= ... =] around AS numbers,
// ranges 2..5, sets [1, 2..5], * for any sequence, ? for one AS, and + for one
// or more of the item before it.
//
// A path that is one sequence, as nearly all are, is matched by an expression of our form
// ([Pattern.OurForm]). Others are matched element by element: an AS number of a sequence,
// also of a confederation, or a set. For Junos a set is met only by any sequence (.* and .+).
// For BIRD it is met as BIRD 2.0.12 does, measured against it: by each of one or more items
// in a row that a member meets, and a set right behind a set may be passed over.
//
// # Recognition
//
// [Auto] takes the first rule that holds:
//
//  1. Text that begins with "[=" is BIRD.
//  2. Text with one of the characters _ ^ $ \ [ ] is Cisco.
//  3. Text is Junos if it is "()" or shows one of these signs: a dot term with
//     a bound, .{0,3}; a dot term (bare, or with * + ?) next to a space, ".* 64500";
//     a whole number of two or more digits with a repetition, 64500+; a range
//     64512-65534; a group with a bar next to a space, "64500 (64501|64502)".
//  4. Everything else is Cisco.
//
// # Cost
//
// Nothing backtracks: a match is linear in the path. What could explode does so
// in Compile, where it is cut off: texts are at most 1024 bytes (also once
// translated), and the automaton has at most 4096 states and is built within
// a fixed count of steps. What needs more is an [*Error], the only error of the package.
package pathexpr
