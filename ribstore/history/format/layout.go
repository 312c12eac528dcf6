package format

import (
	"bytes"
	"errors"
	"fmt"
)

// The buckets of a history, and the keys of the bucket meta. docs/history.md
// describes what is in them.
var (
	BucketMeta      = []byte("meta")      //nolint:gochecknoglobals // constant
	BucketRuns      = []byte("runs")      //nolint:gochecknoglobals // constant
	BucketPeers     = []byte("peers")     //nolint:gochecknoglobals // constant
	BucketSnapshots = []byte("snapshots") //nolint:gochecknoglobals // constant
	BucketChunks    = []byte("chunks")    //nolint:gochecknoglobals // constant
	BucketJournal   = []byte("journal")   //nolint:gochecknoglobals // constant
	BucketBlocks    = []byte("blocks")    //nolint:gochecknoglobals // constant
	// BucketMarks is missing in files that were written before there were marks.
	BucketMarks = []byte("marks") //nolint:gochecknoglobals // constant
	// BucketLoads is missing in files of format 3.
	BucketLoads = []byte("loads")  //nolint:gochecknoglobals // constant
	KeyFormat   = []byte("format") //nolint:gochecknoglobals // constant
	KeyEnd      = []byte("end")    //nolint:gochecknoglobals // constant
)

// Name is the value of KeyFormat. Its number changes when a program that
// knows the number before could not read the file.
const Name = formatPrefix + "4"

// former is the value of KeyFormat of the format before, which this version reads:
// what it has is as it is now, and it lacks a bucket.
const former = formatPrefix + "3"

const formatPrefix = "ribglass history "

// Buckets returns the names of all buckets.
func Buckets() [][]byte {
	return [][]byte{BucketMeta, BucketRuns, BucketPeers, BucketSnapshots, BucketChunks, BucketJournal, BucketBlocks, BucketMarks, BucketLoads}
}

// ErrForeign is returned for a file that is not a history, or is a history of
// another version of the format.
var ErrForeign = errors.New("not a history of this version of Ribglass")

// OtherError is returned for a history of another version of the format.
type OtherError struct{ Format string }

// Error names both formats.
func (e *OtherError) Error() string {
	return fmt.Sprintf("%v: the file has the format %q, this version reads %q and %q", ErrForeign, e.Format, former, Name)
}

// Unwrap returns ErrForeign.
func (e *OtherError) Unwrap() error { return ErrForeign }

// CheckFormat returns an error for the value of KeyFormat of a file that this
// version does not read. The error wraps ErrForeign, and names both formats when
// the file is a history.
func CheckFormat(name []byte) error {
	switch {
	case string(name) == Name, string(name) == former:
		return nil
	case bytes.HasPrefix(name, []byte(formatPrefix)) && len(name) < 2*len(Name):
		return &OtherError{string(name)}
	}
	return ErrForeign
}

// IsFormer reports whether a value of KeyFormat is the format before: the file is read
// as it is, and gets the name of this format before something is written.
func IsFormer(name []byte) bool { return string(name) == former }

// Later reports whether a bucket is missing in files of before, see BucketMarks and
// BucketLoads.
func Later(bucket []byte) bool {
	return bytes.Equal(bucket, BucketMarks) || bytes.Equal(bucket, BucketLoads)
}
