package names

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"strings"

	"ribglass/ribstore/route"
)

// Limits of directories of communities.
const (
	maxDictionaryBytes = 4 << 20 // of a file
	maxDictionaries    = 10_000
	maxDefinitions     = 50_000 // of a file
)

// ReadCommunities reads the files as64500.txt and the like of a directory. Other
// files are passed over, so that a licence may stand beside them.
func ReadCommunities(dir fs.FS) (*Dictionary, error) {
	files, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("read communities: %w", err)
	}
	name := regexp.MustCompile(`^(?i)as([0-9]+)\.txt$`)
	d := &Dictionary{by: make(map[route.ASN]*definitions)}
	for _, f := range files {
		match := name.FindStringSubmatch(f.Name())
		if match == nil || f.IsDir() {
			continue
		}
		asn, err := route.ParseASN(match[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		if d.by[asn] != nil {
			return nil, fmt.Errorf("%s: there is another file of AS%d", f.Name(), asn)
		}
		if len(d.by) == maxDictionaries {
			return nil, fmt.Errorf("%s: more than %d files", f.Name(), maxDictionaries)
		}
		text, err := readLinked(dir, f.Name())
		if err != nil {
			return nil, err
		}
		list, err := readPatterns(strings.NewReader(text), asn)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		d.by[asn] = newDefinitions(list)
	}
	return d, nil
}

// readLinked reads a file. One that has only the name of another file in it is
// what a checkout leaves of a symbolic link where there are none.
func readLinked(dir fs.FS, name string) (string, error) {
	text, err := readSmall(dir, name)
	if err != nil {
		return "", err
	}
	target := strings.TrimSpace(text)
	if len(target) > 64 || strings.ContainsAny(target, ",/\\\n") || !strings.HasSuffix(target, ".txt") {
		return text, nil
	}
	return readSmall(dir, target)
}

func readSmall(dir fs.FS, name string) (string, error) {
	f, err := dir.Open(name)
	if err != nil {
		return "", fmt.Errorf("read communities: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDictionaryBytes+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	if len(text) > maxDictionaryBytes {
		return "", fmt.Errorf("%s: more than %d bytes", name, maxDictionaryBytes)
	}
	return string(text), nil
}

// readPatterns reads the file of an AS.
func readPatterns(r io.Reader, asn route.ASN) ([]pattern, error) {
	var list []pattern
	err := eachLine(r, func(line int, text string) error {
		left, right, found := strings.Cut(text, ",")
		if !found {
			return lineErrorf(line, "%q is not a pattern, a comma and a description", clip(text))
		}
		p, err := parsePattern(strings.TrimSpace(left), asn.String())
		if err != nil {
			return lineErrorf(line, "%v", err)
		}
		p.line = line
		if p.text, err = cleanText(right); err != nil {
			return lineErrorf(line, "description: %v", err)
		}
		if err := checkGroups(&p); err != nil {
			return lineErrorf(line, "%v", err)
		}
		if len(list) == maxDefinitions {
			return lineErrorf(line, "more than %d definitions", maxDefinitions)
		}
		list = append(list, p)
		return nil
	})
	return list, err
}

// checkGroups refuses a description that refers to a variable part when there is
// none such.
func checkGroups(p *pattern) error {
	have := p.groups()
	for i, r := range p.text {
		if r != '$' || i+1 == len(p.text) {
			continue
		}
		if g := int(p.text[i+1]) - '0'; g >= have && g <= 9 {
			return fmt.Errorf("description has $%d, and the pattern %d variable parts", g, have)
		}
	}
	return nil
}

var errNoDictionary = errors.New("no file as64500.txt or the like in it")

// with returns a dictionary in which the ASes of other replace those of d.
func (d *Dictionary) with(other *Dictionary) *Dictionary {
	both := &Dictionary{by: maps.Clone(d.by)}
	maps.Copy(both.by, other.by)
	return both
}
