package catalogue

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed texts/*.json
var builtIn embed.FS

// English is the tag of the language that all others fall back to.
const English = "en"

// Set is the languages of a site. Make it with [Load]. It does not change.
type Set struct {
	english   *Language
	languages []*Language // that are offered; the first is for readers who ask for none
}

// Load returns the languages that are built in, and those of the JSON files of a
// directory, "" for none. A file of a built-in language goes before the built-in
// texts, key by key. order names the languages that are offered, the first for
// readers who ask for none of them; nil offers all, English first.
func Load(dir string, order []string) (*Set, error) {
	files, err := builtInFiles()
	if err != nil {
		return nil, err
	}
	own, err := ownFiles(dir)
	if err != nil {
		return nil, err
	}
	set := &Set{}
	if set.english, err = read(nil, files[0].name, files[0].body); err != nil {
		return nil, err
	}
	all := map[string]*Language{English: set.english}
	tags := []string{English}
	for _, f := range append(files[1:], own...) {
		l, err := read(set.english, f.name, f.body)
		if err != nil {
			return nil, err
		}
		base := all[l.tag]
		if base == nil {
			base, tags = set.english, append(tags, l.tag)
		}
		l.standOn(base)
		all[l.tag] = l
	}
	if order == nil {
		order = tags
	}
	for _, tag := range order {
		l := all[strings.ToLower(tag)]
		if l == nil {
			return nil, fmt.Errorf("languages: there are no texts in %q, but in %s", tag, strings.Join(tags, ", "))
		}
		if slices.Contains(set.languages, l) {
			return nil, fmt.Errorf("languages: %q stands there twice", tag)
		}
		set.languages = append(set.languages, l)
	}
	if len(set.languages) == 0 {
		return nil, errors.New("languages: there must be one")
	}
	return set, nil
}

// file is a file of texts.
type file struct {
	name string
	body []byte
}

// builtInFiles returns the files that are built in, English first.
func builtInFiles() ([]file, error) {
	list := []file{{name: "en.json"}}
	entries, err := builtIn.ReadDir("texts")
	if err != nil {
		return nil, fmt.Errorf("list texts: %w", err)
	}
	for _, e := range entries {
		if e.Name() != "en.json" {
			list = append(list, file{name: e.Name()})
		}
	}
	for i := range list {
		if list[i].body, err = builtIn.ReadFile("texts/" + list[i].name); err != nil {
			return nil, fmt.Errorf("read texts: %w", err)
		}
	}
	return list, nil
}

// Bounds of the operator's files.
const (
	maxFiles = 100
	maxBytes = 1 << 20
)

// ownFiles returns the files of the operator.
func ownFiles(dir string) ([]file, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("texts: %w", err)
	}
	var list []file
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".json" {
			continue
		}
		name := filepath.Join(dir, e.Name())
		if info, err := os.Stat(name); err == nil && (!info.Mode().IsRegular() || info.Size() > maxBytes) {
			return nil, fmt.Errorf("%s: a file of texts has at most %d bytes", name, maxBytes)
		}
		body, err := fs.ReadFile(os.DirFS(dir), e.Name())
		if err != nil {
			return nil, fmt.Errorf("texts: %w", err)
		}
		if list = append(list, file{name, body}); len(list) > maxFiles {
			return nil, fmt.Errorf("texts: %s has more than %d files", dir, maxFiles)
		}
	}
	return list, nil
}

// All returns the languages that are offered. The first is for readers who ask
// for none of them.
func (s *Set) All() []*Language { return s.languages }

// English returns English, whether it is offered or not.
func (s *Set) English() *Language { return s.english }

// Get returns an offered language by its tag in any case.
func (s *Set) Get(tag string) (*Language, bool) {
	for _, l := range s.languages {
		if strings.EqualFold(l.tag, tag) {
			return l, true
		}
	}
	return nil, false
}
