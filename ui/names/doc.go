// Package names says in words what numbers of routing mean: which network an AS
// number is, and what a community asks for or tells. Everything comes from local
// files; nobody else is ever asked.
//
// [ASNames] are the names of AS numbers, read by [ReadASNames]. A [Dictionary]
// holds what communities mean, read by [ReadCommunities] from a directory with a
// file for each AS that defines some. A [Keeper] holds both, as configured, for
// whoever shows them, and changes over to other files while they are read.
// Without configuration the files that are built into the program are used.
//
// ASNames and Dictionary never change once they are made, so many goroutines may
// read them at once.
//
// # Files of AS names
//
// A line has an AS number, with or without "AS", a tab or spaces, and the name:
//
//	64500	Example Network
//
// Lines that are empty or begin with '#' say nothing. A file whose first line is
// a header of comma-separated columns with "asn" and "name" among them is CSV
// (RFC 4180). Either may be compressed by gzip or zstd. The order is free.
//
// # Files of communities
//
// In the text format of the NLNOG looking glass, as64500.txt has the communities
// of AS64500, one pattern and its description a line:
//
//	64500:100,Learned in Amsterdam
//	64500:20x,Prepend $0 times
//	64500:1000-1999,Learned from a customer
//	64500:1:nnn,Do not announce to AS$0
//	rt 64500:1,Customers
//
// An x stands for one digit, nnn for any number or the rest of one, a range for
// the numbers from one to another; $0 is what the first of them stood for, $1
// the second. <ASN> is the file's own AS number. Of two parts it is a standard
// community, of three a large one, with rt, ro or soo before it an extended one.
// A file that holds nothing but the name of another one is a link to it.
//
// What does not follow this is an error with file and line: a file is taken as a
// whole or not at all.
package names
