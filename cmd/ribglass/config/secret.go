package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"ribglass/collector"
	"ribglass/collector/bgp"
)

// maxPassword is what the kernel takes as a key of TCP-MD5 or TCP-AO, in bytes.
const maxPassword = 80

// readSecrets puts the passwords in place that files and the environment hold.
func readSecrets(d *decoder, cfg *Config, lookup func(string) (string, bool)) {
	for i := range cfg.Neighbors {
		n := &cfg.Neighbors[i]
		path := fmt.Sprintf("neighbors[%d]", i)
		n.Password = n.Secret.read(d, path, lookup)
		readAOKeys(d, path, n.TCPAO)
	}
	for i := range cfg.DynamicNeighbors {
		n := &cfg.DynamicNeighbors[i]
		path := fmt.Sprintf("dynamic_neighbors[%d]", i)
		n.Password = n.Secret.read(d, path, lookup)
		readAOKeys(d, path, n.TCPAO)
	}
}

// readAOKeys puts the keys of TCP-AO in place.
func readAOKeys(d *decoder, path string, keys []bgp.AOKey) {
	for i := range keys {
		at := fmt.Sprintf("%s.tcp_ao[%d].key_file", path, i)
		key, err := secretFile(keys[i].KeyFile)
		switch {
		case keys[i].KeyFile == "":
			d.reportAt(at, "key_file is missing: the file with the TCP-AO key")
		case err != nil:
			d.reportAt(at, "key_file: %s", err)
		}
		keys[i].Key = collector.Secret(key)
	}
}

// read returns the password and reports why there is none.
func (s Secret) read(d *decoder, path string, lookup func(string) (string, bool)) collector.Secret {
	switch {
	case s.PasswordFile != "" && s.PasswordEnv != "":
		d.reportAt(path+".password_env", "password_env and password_file exclude each other")
	case s.PasswordFile != "":
		password, err := secretFile(s.PasswordFile)
		if err != nil {
			d.reportAt(path+".password_file", "password_file: %s", err)
		}
		return collector.Secret(password)
	case s.PasswordEnv != "":
		password, set := lookup(s.PasswordEnv)
		if !set {
			d.reportAt(path+".password_env", "password_env: the environment has no variable %s", s.PasswordEnv)
			return ""
		}
		if err := usable(password); err != nil {
			d.reportAt(path+".password_env", "password_env: %s: %s", s.PasswordEnv, err)
		}
		return collector.Secret(password)
	}
	return ""
}

// secretFile reads a password out of a file that only its owner can read. The
// errors never quote the content.
func secretFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a regular file", name)
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("%s has mode %04o, so others than its owner can use it; run: chmod 600 %s", name, info.Mode().Perm(), name)
	}
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", err
	}
	password := strings.TrimRight(string(text), "\r\n")
	if err := usable(password); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return password, nil
}

// usable says why a password cannot be one. Words that stand in documentation
// and examples are refused: whoever reads them knows the password.
func usable(password string) error {
	switch {
	case password == "":
		return errors.New("is empty")
	case strings.HasPrefix(password, "\ufeff"):
		return errors.New("begins with a byte order mark, which would be a part of the password; save it without")
	case len(password) > maxPassword:
		return fmt.Errorf("has %d bytes; a key has at most %d", len(password), maxPassword)
	case strings.ContainsFunc(password, unicode.IsControl):
		return errors.New("has a line break or another control character in it")
	}
	switch strings.ToLower(strings.Trim(password, "<>{}[] ")) {
	case "changeme", "change-me", "change_me", "secret", "password", "passw0rd", "example", "sample", "md5", "xxx", "your-password", "todo":
		return errors.New("holds a word from an example, not a password; make one with: openssl rand -base64 24")
	}
	return nil
}
