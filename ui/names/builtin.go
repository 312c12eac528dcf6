package names

import (
	"archive/zip"
	_ "embed"
	"fmt"
	"strings"
)

// The files that are built in, with where they come from in builtin/README.md.
var (
	//go:embed builtin/asnames.tsv.zst
	builtinNames string
	//go:embed builtin/communities.zip
	builtinCommunities string
)

func readBuiltinNames() (*ASNames, error) {
	n, err := ReadASNames(strings.NewReader(builtinNames))
	if err != nil {
		return nil, fmt.Errorf("built-in names: %w", err)
	}
	return n, nil
}

func readBuiltinCommunities() (*Dictionary, error) {
	archive, err := zip.NewReader(strings.NewReader(builtinCommunities), int64(len(builtinCommunities)))
	if err != nil {
		return nil, fmt.Errorf("built-in communities: %w", err)
	}
	d, err := ReadCommunities(archive)
	if err != nil {
		return nil, fmt.Errorf("built-in communities: %w", err)
	}
	return d, nil
}
