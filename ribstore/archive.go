package ribstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"ribglass/ribstore/history"
)

// Archive is a collection: a history that was imported from files and changes no
// more. Its now is the last moment recorded. It is asked like a [Store].
type Archive struct {
	asker

	Name    string
	Files   []string // that it was imported from, by name; none: not known
	history *history.History
	file    os.FileInfo
	closing runtime.Cleanup // closes the history when nobody asks it any more
}

// Stats tells what the collection holds.
func (a *Archive) Stats() history.Stats { return a.history.Stats() }

// ErrNoCollection is returned for a name that no collection has.
var ErrNoCollection = errors.New("there is no such collection")

// CollectionName is what names of collections look like.
var CollectionName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// collectionSuffix is how the files of collections end.
const collectionSuffix = ".db"

// CollectionPath returns the file of a collection in a data directory.
func CollectionPath(dataDir, name string) (string, error) {
	if !CollectionName.MatchString(name) {
		return "", fmt.Errorf("%q is no name for a collection: lower-case letters, digits, dots, dashes", name)
	}
	return filepath.Join(dataDir, "collections", name+collectionSuffix), nil
}

// maxSources bounds what is read of the list of files.
const maxSources = 256 << 10

// SourcesPath returns the file beside the file of a collection that lists what was
// imported into it: a name in a line.
func SourcesPath(path string) string { return strings.TrimSuffix(path, collectionSuffix) + ".files" }

// readSources reads that list. A collection without it is as good.
func readSources(path string) []string {
	f, err := os.Open(path) //nolint:gosec // beside the collection
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSources))
	if err != nil {
		return nil
	}
	return strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' })
}

// Collections are the collections of a data directory. Files are opened when they
// are asked for, anew when they were imported again, and closed when they were deleted. It may be used by
// anyone; Close ends it.
type Collections struct {
	dir    string
	config Config
	deps   Deps

	linger time.Duration // before a file without readers is closed

	mu   sync.Mutex // guards what follows
	open map[string]*Archive
}

// lingerTime is longer than a question takes: one that is being answered may have
// its file in use when nothing refers to the collection any more.
const lingerTime = time.Minute

// NewCollections returns the collections of a data directory.
func NewCollections(dataDir string, cfg Config, deps Deps) *Collections {
	if deps.Budget == nil {
		deps.Budget, _ = NewBudget(cfg.Limits(), nil) // a valid Config has valid limits
	}
	c := &Collections{dir: dataDir, config: cfg, deps: deps, linger: lingerTime, open: make(map[string]*Archive)}
	deps.Budget.Memory().onStrain(c.drop)
	return c
}

// drop forgets the tables that are kept for questions that may come.
func (c *Collections) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.open {
		a.whole.drop()
	}
}

// List returns the names of the collections in order.
func (c *Collections) List() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(c.dir, "collections"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), collectionSuffix); ok && CollectionName.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names) // files are ordered with their suffixes
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.open, func(name string, _ *Archive) bool { return !slices.Contains(names, name) })
	return names, err
}

// Get returns a collection. Errors are [ErrNoCollection] and those of opening.
func (c *Collections) Get(name string) (*Archive, error) {
	path, err := CollectionPath(c.dir, name)
	if err != nil {
		return nil, ErrNoCollection
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(path)
	if err != nil {
		delete(c.open, name)
		return nil, ErrNoCollection
	}
	if a := c.open[name]; a != nil && os.SameFile(a.file, info) {
		return a, nil
	}
	h, err := history.OpenReadOnly(path, history.Deps{Logger: c.deps.Logger, Now: c.deps.Now})
	if err != nil {
		return nil, err
	}
	a := &Archive{Name: name, Files: readSources(SourcesPath(path)), history: h, file: info}
	end := h.Stats().Ends
	deps := c.deps
	deps.History, deps.Now = h, func() time.Time { return end }
	a.asker = newAsker(c.config, deps, nil)
	// The one of before, if any, may still be answering. Its file, which has no name
	// any more, is closed when its last reader is gone.
	linger := c.linger
	a.closing = runtime.AddCleanup(a.source, func(h *history.History) {
		// That it can only be read leaves nothing to fail.
		time.AfterFunc(linger, func() { _ = h.Close() })
	}, h)
	c.open[name] = a
	return a, nil
}

// Close closes the files. Nothing may be asked any more.
func (c *Collections) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []error
	for name, a := range c.open {
		a.closing.Stop()
		list = append(list, a.history.Close())
		delete(c.open, name)
	}
	return errors.Join(list...)
}
