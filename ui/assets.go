package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"slices"

	"ribglass/ui/catalogue"
)

//go:embed assets
var assets embed.FS

// Asset is a file that pages refer to. Its path changes with its content, so
// it may be kept for ever.
type Asset struct {
	Path        string
	ContentType string
	Body        []byte
	Gzip        []byte
}

// assetSet makes assets out of the files that are built into the program.
type assetSet struct {
	behind map[string]string // what comes behind a file, of packages that have a part of it
	byName map[string]Asset  // by the name of the file
	byPath map[string]Asset
}

func newAssetSet(behind map[string]string) (*assetSet, error) {
	set := &assetSet{behind: behind, byName: map[string]Asset{}, byPath: map[string]Asset{}}
	files, err := assets.ReadDir("assets")
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	for _, f := range files {
		if _, err := set.add(f.Name(), nil); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// add makes an asset of a file after all files that it imports, because their
// paths stand in it. importers are those on the way to it.
func (s *assetSet) add(name string, importers []string) (Asset, error) {
	if a, ok := s.byName[name]; ok {
		return a, nil
	}
	if slices.Contains(importers, name) {
		return Asset{}, fmt.Errorf("asset %s imports itself", name)
	}
	body, err := assets.ReadFile("assets/" + name)
	if err != nil {
		return Asset{}, fmt.Errorf("read asset: %w", err)
	}
	if path.Ext(name) == ".js" {
		if body, err = s.link(uncommented(body), append(importers, name)); err != nil {
			return Asset{}, err
		}
	}
	a, err := newAsset(name, append(body, s.behind[name]...))
	if err != nil {
		return a, err
	}
	s.byName[name], s.byPath[a.Path] = a, a
	return a, nil
}

// uncommented blanks the comments of a script that have lines of their own: a third
// of what would be sent. Lines keep their numbers.
func uncommented(body []byte) []byte {
	comment := regexp.MustCompile(`(?m)^[ \t]*(?://.*|/\*(?:[^*]|\*+[^*/])*\*+/[ \t]*)$`)
	return comment.ReplaceAllFunc(body, func(match []byte) []byte {
		return bytes.Repeat([]byte("\n"), bytes.Count(match, []byte("\n")))
	})
}

// link puts the paths of modules where a module names their files.
func (s *assetSet) link(body []byte, importers []string) ([]byte, error) {
	var failed error
	body = regexp.MustCompile(`(from|import) '\./([a-z]+\.js)'`).ReplaceAllFunc(body, func(match []byte) []byte {
		word, name, _ := bytes.Cut(bytes.TrimSuffix(match, []byte("'")), []byte(" './"))
		a, err := s.add(string(name), importers)
		if err != nil {
			failed = err
		}
		return fmt.Appendf(nil, "%s '%s'", word, a.Path)
	})
	return body, failed
}

func newAsset(file string, body []byte) (Asset, error) {
	types := map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png",
	}
	extension := path.Ext(file)
	name := file[:len(file)-len(extension)]
	sum := sha256.Sum256(body)
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil || types[extension] == "" {
		return Asset{}, fmt.Errorf("pack asset %s: %w", file, err)
	}
	at := "/assets/" + name + "-" + hex.EncodeToString(sum[:8]) + extension
	return Asset{at, types[extension], body, packed.Bytes()}, nil
}

// addTexts makes a module that gives the others the texts of a language, and
// returns where it is served.
func (s *assetSet) addTexts(l *catalogue.Language) (string, error) {
	texts, err := scriptTexts(l)
	if err != nil {
		return "", err
	}
	body := fmt.Appendf(nil, "import { speak } from '%s'\nspeak(%s)\n", s.path("page.js"), texts)
	a, err := newAsset("texts-"+l.Tag()+".js", body)
	if err != nil {
		return "", err
	}
	s.byPath[a.Path] = a
	return a.Path, nil
}

// path returns where a file is served.
func (s *assetSet) path(name string) string { return s.byName[name].Path }

// modules returns where the modules are served that others import, so that a
// browser asks for all of them at once.
func (s *assetSet) modules() []string {
	var list []string
	for name, a := range s.byName {
		if path.Ext(name) == ".js" && name != "app.js" && name != "theme.js" {
			list = append(list, a.Path)
		}
	}
	slices.Sort(list)
	return list
}
