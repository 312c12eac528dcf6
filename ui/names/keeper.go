package names

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"ribglass/ribstore/route"
)

// None as a path of [Config] stands for no file at all.
const None = "none"

// Config says where names come from.
type Config struct {
	File        string `yaml:"file"`        // of AS names; "": the built-in ones; None: none
	Communities string `yaml:"communities"` // directory of files before the built-in ones; None: the well-known ones only
}

// Keeper answers with the names that were loaded last. The zero value knows
// well-known communities only. It must not be copied; its methods may be called
// by many goroutines at once.
type Keeper struct {
	asNames    atomic.Pointer[ASNames]
	dictionary atomic.Pointer[Dictionary]

	loading sync.Mutex // one Load at a time; guards from
	from    Config     // what is in force was read from
}

// Load reads what cfg names and changes over to it. When a file is not as it has
// to be, that half of the names stays as it is, the built-in ones where nothing
// was loaded before, and the error says why.
func (k *Keeper) Load(cfg Config) error {
	k.loading.Lock()
	defer k.loading.Unlock()
	return errors.Join(
		change(&k.asNames, &k.from.File, cfg.File, readNames),
		change(&k.dictionary, &k.from.Communities, cfg.Communities, readDictionary),
	)
}

// change puts what is read from a path in the place of what is there, which came
// from the path from. What is built in does not change and is not read again.
func change[T any](there *atomic.Pointer[T], from *string, path string, read func(string) (*T, error)) error {
	if path == "" && *from == "" && there.Load() != nil {
		return nil
	}
	fresh, err := read(path)
	switch {
	case err == nil:
		*from = path
	case there.Load() == nil:
		var errBuiltin error
		fresh, errBuiltin = read("")
		if errBuiltin != nil {
			return errors.Join(err, errBuiltin)
		}
	default:
		return err
	}
	there.Store(fresh)
	return err
}

func readNames(file string) (*ASNames, error) {
	switch file {
	case None:
		return &ASNames{}, nil
	case "":
		return readBuiltinNames()
	}
	f, err := os.Open(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("AS names: %w", err)
	}
	defer f.Close()
	n, err := ReadASNames(f)
	if err != nil {
		return nil, fmt.Errorf("AS names: %s: %w", file, err)
	}
	return n, nil
}

func readDictionary(dir string) (*Dictionary, error) {
	if dir == None {
		return &Dictionary{}, nil
	}
	builtin, err := readBuiltinCommunities()
	if err != nil || dir == "" {
		return builtin, err
	}
	own, err := ReadCommunities(os.DirFS(dir))
	if err == nil && len(own.by) == 0 {
		err = errNoDictionary
	}
	if err != nil {
		return nil, fmt.Errorf("communities: %s: %w", dir, err)
	}
	return builtin.with(own), nil
}

// AS returns the name of an AS number, "" when there is none.
func (k *Keeper) AS(asn route.ASN) string { return k.asNames.Load().Name(asn) }

// Explain is [Dictionary.Explain].
func (k *Keeper) Explain(c Community, heard []route.ASN) string {
	return k.dictionary.Load().Explain(c, heard)
}

// Complete is [ASNames.Complete].
func (k *Keeper) Complete(typed string, limit int) []Match {
	return k.asNames.Load().Complete(typed, limit)
}

// Counts returns how many AS numbers have a name, how many ASes define
// communities, and how many definitions these are.
func (k *Keeper) Counts() (asNames, dictionaries, definitions int) {
	dictionaries, definitions = k.dictionary.Load().Len()
	return k.asNames.Load().Len(), dictionaries, definitions
}
