package history

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"ribglass/ribstore/history/format"
)

// damaged is a file that something was done to, and what must be true of it.
type damagedFile struct {
	scenario *scenario
	octets   []byte // before
	moments  []moment
	steps    int
	path     string

	right, told, refused int
}

func newDamaged(t testing.TB, steps int) *damagedFile {
	t.Helper()
	path := filepath.Join(memoryDir(t), "history.db")
	d := &damagedFile{path: path, steps: steps}
	d.scenario, d.moments = recorded(t, path, steps)
	var err error
	if d.octets, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return d
}

// try opens the file with other octets and returns what is wrong with what
// comes of it.
func (d *damagedFile) try(t testing.TB, octets []byte, ask []int) error {
	t.Helper()
	if err := os.WriteFile(d.path, octets, 0o600); err != nil {
		return err
	}
	defer d.clean(t)
	log := newWarnings()
	c := d.scenario.clockFor(d.steps + 1000)
	h, err := openSmall(d.path, smallConfig(), c.deps(log))
	if err != nil {
		if errors.Is(err, ErrForeign) {
			d.refused++
			return nil // it is left alone
		}
		return fmt.Errorf("open: %w", err)
	}
	defer func() { _ = h.Close() }()
	for _, i := range ask {
		m := &d.moments[i]
		within := netip.Prefix{}
		if i%2 == 1 {
			within = d.scenario.prefixes[i].NLRI[0].Prefix
		}
		past, err := h.At(t.Context(), m.at, within)
		wrong, certain := m.agree(past, err, within, !within.IsValid())
		if wrong != "" {
			return fmt.Errorf("at %v within %v: %s", m.at, within, wrong)
		}
		if !certain {
			d.told++
			continue
		}
		d.right++
		if within.IsValid() {
			continue
		}
		if err := d.replay(t, h, past, log); err != nil {
			return fmt.Errorf("from %v on: %w", m.at, err)
		}
	}
	got, err := h.Resume(t.Context())
	if err != nil {
		if log.count.Load() > 0 || errors.Is(err, format.ErrDamaged) {
			return nil
		}
		return fmt.Errorf("resume: %w", err)
	}
	last := d.moments[len(d.moments)-1]
	if dumped := dump(got, netip.Prefix{}); dumped != dumpDown(last.want) && log.count.Load() == 0 {
		return fmt.Errorf("resumed with another table and without a warning: %s", firstDifference(dumpDown(last.want), dumped))
	}
	return d.goOn(t, h, &recorder{scenario: d.scenario, history: h, table: got, clock: c, next: d.steps + 2000})
}

// replay takes a right past to the last moment.
func (d *damagedFile) replay(t testing.TB, h *History, past *Past, log *warnings) error {
	last := &d.moments[len(d.moments)-1]
	notices, err := h.Replay(t.Context(), past, last.at, func(e *Event) error {
		e.Apply(past.Table)
		return nil
	})
	if err != nil {
		return err
	}
	for past.Table.Work() {
	}
	if got := dump(past.Table, netip.Prefix{}); got != last.want && len(notices) == 0 {
		return fmt.Errorf("other changes than there were, with %d warnings: %s", log.count.Load(), firstDifference(last.want, got))
	}
	return nil
}

// goOn makes sure that recording goes on, or that it is told that it does not.
func (d *damagedFile) goOn(t testing.TB, h *History, r *recorder) error {
	r.begin()
	for range 5 {
		r.step()
	}
	h.writeOrAlarm()
	want := dump(r.table, netip.Prefix{})
	past, err := h.At(t.Context(), r.clock.now(), netip.Prefix{})
	m := moment{r.clock.now(), want}
	if wrong, _ := m.agree(past, err, netip.Prefix{}, true); wrong != "" {
		return fmt.Errorf("recorded after the damage: %s", wrong)
	}
	if _, err := h.Snapshot(t.Context(), directly(r.table)); err != nil {
		if h.Stats().Trouble == "" {
			return fmt.Errorf("no snapshot can be taken and nothing tells: %w", err)
		}
		return nil
	}
	past, err = h.At(t.Context(), r.clock.now(), netip.Prefix{})
	if wrong, _ := m.agree(past, err, netip.Prefix{}, true); wrong != "" {
		return fmt.Errorf("after a snapshot: %s", wrong)
	}
	return nil
}

func (d *damagedFile) clean(t testing.TB) {
	files, err := filepath.Glob(d.path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFlippedBitsNeverGiveAnotherPast(t *testing.T) {
	t.Parallel()
	tries := 300
	if testing.Short() {
		tries = 100
	}
	d := newDamaged(t, 480)
	r := rand.New(rand.NewPCG(5, 5))
	for i := range tries {
		octets := append([]byte(nil), d.octets...)
		at, bit := r.IntN(len(octets)), r.IntN(8)
		if i%2 == 0 { // what bbolt believes stands in front of pages
			at = r.IntN(len(octets)/4096)*4096 + r.IntN(160)
		}
		octets[at] ^= 1 << bit
		n := r.IntN(len(d.moments))
		if err := d.try(t, octets, []int{n, len(d.moments) - 1}); err != nil {
			t.Errorf("bit %d of octet %d (page %d + %d): %v", bit, at, at/4096, at%4096, err)
		}
	}
	t.Logf("%d octets; %d answers right, %d told of damage, %d files refused", len(d.octets), d.right, d.told, d.refused)
}

func TestAFileThatIsCutOffAnywhere(t *testing.T) {
	t.Parallel()
	d := newDamaged(t, 240)
	r := rand.New(rand.NewPCG(6, 6))
	tries := 120
	if testing.Short() {
		tries = 30
	}
	for i := range tries {
		length := 1 + r.IntN(len(d.octets)-1)
		if i%2 == 0 {
			length = max(4096, length-length%4096)
		}
		if err := d.try(t, d.octets[:length:length], []int{r.IntN(len(d.moments)), len(d.moments) - 1}); err != nil {
			t.Errorf("cut off at %d: %v", length, err)
		}
	}
	t.Logf("%d answers right, %d told of damage", d.right, d.told)
}

func TestPagesThatAreSwappedCopiedOrZeroed(t *testing.T) {
	t.Parallel()
	const page = 4096
	d := newDamaged(t, 480)
	r := rand.New(rand.NewPCG(7, 7))
	tries := 120
	if testing.Short() {
		tries = 40
	}
	for i := range tries {
		octets := append([]byte(nil), d.octets...)
		pages := len(octets) / page
		a, b := r.IntN(pages), r.IntN(pages)
		first, second := octets[a*page:][:page], octets[b*page:][:page]
		what := []string{"swapped with", "copied over", "zeroed, not", "its end is that of", "is but for its number"}[i%5]
		switch i % 5 {
		case 0:
			kept := append([]byte(nil), first...)
			copy(first, second)
			copy(second, kept)
		case 1:
			copy(second, first)
		case 2:
			clear(first)
		case 3:
			copy(first[page/2:], second[page/2:])
		case 4: // the header still says that it is page a
			copy(first[8:], second[8:])
		}
		if err := d.try(t, octets, []int{r.IntN(len(d.moments)), r.IntN(len(d.moments)), len(d.moments) - 1}); err != nil {
			t.Errorf("page %d %s %d: %v", a, what, b, err)
		}
	}
	t.Logf("%d answers right, %d told of damage", d.right, d.told)
}

// A page of before that is still in the file may take the place of what it became.
func TestAnOlderMetaPageIsAnOlderState(t *testing.T) {
	d := newDamaged(t, 240)
	for _, at := range []int{0, 4096} {
		octets := append([]byte(nil), d.octets...)
		octets[at+40] ^= 1
		if err := d.try(t, octets, []int{0, len(d.moments) - 2}); err != nil {
			t.Errorf("meta page at %d: %v", at, err)
		}
	}
}
