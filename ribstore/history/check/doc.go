// Package check finds damage in the file of a history.
//
// [Structure] walks the pages of the file before bbolt does, which trusts them.
// [TakeInventory] lists what is in the file, and marks what is missing. [Verify]
// reads everything and reports what is damaged and what that means. [Salvage]
// reads what can be read of a file that bbolt cannot use. Nothing here writes to
// a file, and nothing here needs bbolt.
//
// Damage is data here: it is part of what these functions return. Their errors
// are the errors of the file system, of the context and of the functions that
// they are given, but for [Structure], whose error is the damage.
package check
