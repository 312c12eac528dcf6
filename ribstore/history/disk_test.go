package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// readOnlyPlace opens a file where nothing can be written.
func readOnlyPlace(path string) error {
	c := newScenario(7).clockFor(1000)
	if h, err := openSmall(path, smallConfig(), c.deps(slog.DiscardHandler)); err == nil {
		return errors.Join(errors.New("history: it was opened to be written"), h.Close())
	} else if !errors.Is(err, syscall.EROFS) && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("history: %w", err)
	}
	h, err := OpenReadOnly(path, c.deps(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	past, err := h.At(context.Background(), c.now(), netip.Prefix{})
	if err == nil && progress(past.Table) != 60 {
		err = errors.New("history: another table")
	}
	if err = errors.Join(err, h.Close()); err == nil {
		_, err = os.Stdout.WriteString("ok\n")
	}
	return err
}

// recordLimited records to a file that cannot grow for a while.
func recordLimited(path string) error {
	s := newScenario(7)
	c := s.clockFor(-1)
	h, err := openSmall(path, smallConfig(), c.deps(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx := context.Background()
	t, err := h.Resume(ctx)
	if err != nil {
		return err
	}
	r := recorder{scenario: s, history: h, table: t, clock: c}
	r.begin()
	limit := func(n uint64) error {
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: ^uint64(0)})
	}
	info, err := os.Stat(path)
	if err == nil {
		err = limit(uint64(info.Size()) + 4096)
	}
	for failed := 0; err == nil && failed < 20; {
		for range 10 {
			r.step()
		}
		h.writeOrAlarm()
		if h.Stats().Trouble != "" {
			failed++
			if _, err := h.Snapshot(ctx, directly(t)); err == nil {
				return errors.New("a snapshot was taken on a full disk")
			}
		} else if r.next > 100_000 {
			return errors.New("the disk is never full")
		}
		past, atErr := h.At(ctx, c.now(), netip.Prefix{})
		m := moment{c.now(), dump(t, netip.Prefix{})}
		if wrong, certain := m.agree(past, atErr, netip.Prefix{}, true); wrong != "" || !certain {
			return fmt.Errorf("while the disk is full: %q, certain %v", wrong, certain)
		}
	}
	if err != nil {
		return err
	}
	return recovers(h, &r, limit)
}

func recovers(h *History, r *recorder, limit func(uint64) error) error {
	if err := limit(^uint64(0)); err != nil {
		return err
	}
	r.step()
	h.writeOrAlarm()
	if trouble := h.Stats().Trouble; trouble != "" {
		return fmt.Errorf("the disk has room again and still: %s", trouble)
	}
	ctx := context.Background()
	if _, err := h.Snapshot(ctx, directly(r.table)); err != nil {
		return err
	}
	if err := errors.Join(h.Merge(ctx), h.Prune(ctx), h.Close()); err != nil {
		return err
	}
	h, err := openSmall(h.file.Load().path, smallConfig(), r.clock.deps(slog.DiscardHandler))
	if err != nil {
		return err
	}
	past, err := h.At(ctx, r.clock.now(), netip.Prefix{})
	m := moment{r.clock.now(), dump(r.table, netip.Prefix{})}
	if wrong, certain := m.agree(past, err, netip.Prefix{}, true); wrong != "" || !certain {
		return fmt.Errorf("after the disk was full: %q, certain %v", wrong, certain)
	}
	_, err = fmt.Fprintf(os.Stdout, "ok %d\n", r.next)
	return errors.Join(err, h.Close())
}

func TestAFullDiskStopsRecordingAndNothingElse(t *testing.T) {
	cmd := reexec(t, "limited", filepath.Join(t.TempDir(), "h.db"))
	cmd.Stderr = nil
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "ok") {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}
