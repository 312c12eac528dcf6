// Package catalogue holds the texts of the pages, in English and in other
// languages. Package ui asks it for every word that a reader of a page sees.
//
// A text has a key that never changes, such as "peers.none". English is complete
// and decides what keys there are and what stands in braces in each text. A
// translation is a file like it, built in or the operator's, and falls back to
// English for what it lacks. A [Set] is the languages of a site, a [Language] the
// texts of one; both are made once and may be used by many goroutines at once.
//
// # Texts are data
//
// A text is no markup and no code. What is in braces is a name for something that
// the page puts there, each thing once for each time that English has it; ui escapes
// everything else. Files are read strictly: an unknown key, a text without a form
// that the language counts with, a name in braces that English has not, a
// character that reorders others is an error with file and line.
//
// # Order of arguments
//
// What a text is given comes in the order in which the names stand in the English
// text. A text with several forms, such as "one" and "other", is chosen by the
// first of them, a number, or by the one that "by" names.
package catalogue
