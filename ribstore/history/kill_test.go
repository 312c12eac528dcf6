package history

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"ribglass/ribstore/table"
)

// What the test binary does instead of testing, and with what.
const (
	envChild = "HISTORY_CHILD"
	envPath  = "HISTORY_PATH"
	envStep  = "HISTORY_STEP"
	envKill  = "HISTORY_KILL"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(envChild); what != "" {
		if err := child(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(what string) error {
	path := os.Getenv(envPath)
	switch what {
	case "record":
		step, err := strconv.Atoi(os.Getenv(envStep))
		if err != nil {
			return err
		}
		kill, err := strconv.Atoi(os.Getenv(envKill))
		if err != nil {
			return err
		}
		return recordForever(path, step, kill)
	case "open", "hold":
		return hold(path)
	case "limited":
		return recordLimited(path)
	case "heavy":
		megabytes, err := strconv.Atoi(os.Getenv(envStep))
		if err != nil {
			return err
		}
		return heavy(path, megabytes)
	case "readonly":
		return readOnlyPlace(path)
	}
	return fmt.Errorf("unknown child %q", what)
}

func killConfig() Config {
	c := smallConfig()
	c.Keep = []Tier{{20 * time.Second, 10 * time.Minute}}
	c.MaxSize = 3 << 20
	return c
}

// recordForever records the scenario from a step on, with all that a history
// does to its file going on beside, and prints how many steps are durable.
func recordForever(path string, step, kill int) error {
	s := newScenario(11)
	c := s.clockFor(step)
	// Each one begins a little later, also where the one before came to nothing.
	c.advance(-200*time.Millisecond + time.Duration(kill%10)*15*time.Millisecond)
	h, err := openSmall(path, killConfig(), c.deps(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx := context.Background()
	t, err := h.Resume(ctx)
	if err != nil {
		return err
	}
	r := recorder{scenario: s, history: h, table: t, clock: c, next: step}
	r.begin()
	r.step()
	requests := make(chan func())
	go keepForever(h, TableWriter{t, func(_ context.Context, f func()) error {
		done := make(chan struct{})
		requests <- func() { f(); close(done) }
		<-done
		return nil
	}})
	for {
		for sinceSnapshot(h) > maxSinceSnapshot {
			(<-requests)()
		}
		for range 1 + r.next%7 {
			r.step()
			select {
			case f := <-requests:
				f()
			default:
			}
		}
		if err := h.Flush(); errors.Is(err, ErrFull) {
			(<-requests)() // the keeper drops what is oldest, then takes a snapshot
			continue
		} else if err != nil {
			return err
		}
		if _, err := fmt.Println(r.next); err != nil {
			return err
		}
	}
}

// maxSinceSnapshot is how many records the child writes after the newest
// snapshot before it waits for the next one. Nothing that follows the newest
// snapshot may be dropped. A child that records faster than its keeper takes
// snapshots, or children that are all killed before their keeper has taken one,
// would fill the file with records that have to stay, and leave no room for the
// snapshot that makes them dispensable. That many records take a twentieth of
// the file.
const maxSinceSnapshot = 3000

// sinceSnapshot returns how many records in the file follow the newest snapshot.
func sinceSnapshot(h *History) (records uint32) {
	x := h.index.Load()
	for i := range x.Pieces {
		if !x.spare(&x.Pieces[i]) {
			records += x.Pieces[i].Records
		}
	}
	return records
}

func keepForever(h *History, live TableWriter) {
	ctx := context.Background()
	for i := 0; ; i++ {
		var err error
		switch i % 4 {
		case 0:
			_, err = h.Snapshot(ctx, live)
		case 2:
			err = h.Prune(ctx)
		default:
			err = h.Merge(ctx)
		}
		if errors.Is(err, ErrFull) {
			err = h.Prune(ctx)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "keep:", err)
			os.Exit(4)
		}
	}
}

// reexec starts the test binary as a child.
func reexec(t *testing.T, what, path string, more ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), envChild+"="+what, envPath+"="+path), more...)
	cmd.Stderr = os.Stderr
	return cmd
}

// runAndKill lets a child record from a step on for a while, and returns how many
// steps it said are durable. The while begins with the child, which on a busy
// machine may come to nothing in it, or once something is durable.
func runAndKill(t *testing.T, path string, step, kill int, after time.Duration, begun bool) int {
	t.Helper()
	cmd := reexec(t, "record", path, envStep+"="+strconv.Itoa(step), envKill+"="+strconv.Itoa(kill))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	begin := func() { timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) }
	if !begun {
		begin()
	}
	durable := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			durable = n
		}
		if timer == nil {
			begin()
		}
	}
	if timer != nil {
		timer.Stop()
	}
	if err := cmd.Wait(); cmd.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return durable
}

func TestNothingDurableIsLostWhenTheProcessIsKilled(t *testing.T) {
	t.Parallel()
	kills := 200
	if testing.Short() {
		kills = 25
	}
	dir := memoryDir(t)
	k := killed{scenario: newScenario(11), path: filepath.Join(dir, "history.db"), copied: filepath.Join(dir, "copy.db")}
	k.want.table = table.New()
	k.random = rand.New(rand.NewPCG(1, 2))
	for kill := range kills {
		durable := runAndKill(t, k.path, k.want.next, kill, time.Duration(12+k.random.IntN(70))*time.Millisecond, kill%4 != 0)
		k.check(t, max(durable, k.want.next))
		if t.Failed() {
			t.Fatalf("after kill %d", kill)
		}
	}
	t.Logf("%d kills, %d steps, %d moments of the past compared, %d not kept any more, %d files verified", kills, k.want.next, k.certain, k.gone, k.verified)
	if k.want.next < 2*kills || k.certain == 0 {
		t.Errorf("too little was tried")
	}
}

// killed is a file whose process was killed, again and again.
type killed struct {
	scenario      *scenario
	path, copied  string
	want          fold
	random        *rand.Rand
	moments       []moment
	certain, gone int
	verified      int
}

// check compares what is in a copy of the file with the fold.
func (k *killed) check(t *testing.T, durable int) {
	t.Helper()
	if _, err := os.Stat(k.path); os.IsNotExist(err) {
		return // killed before the file was made
	}
	copyFile(t, k.path, k.copied)
	log := newWarnings()
	h, err := openSmall(k.copied, killConfig(), k.scenario.clockFor(10_000_000).deps(log))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	past, err := h.At(t.Context(), k.scenario.at(9_000_000), netip.Prefix{})
	if err == nil {
		k.compare(t, past, durable)
	} else if k.want.next > 0 || durable > 0 {
		t.Fatalf("At: %v", err)
	}
	resumed, err := h.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k.want.restart(k.scenario.at(k.want.next))
	if got, want := dump(resumed, netip.Prefix{}), dump(k.want.table, netip.Prefix{}); got != want {
		t.Errorf("resumed after %d steps: %s", k.want.next, firstDifference(want, got))
	}
	if n := log.count.Load(); n != 0 {
		t.Errorf("%d warnings", n)
	}
	k.compareMoments(t, h)
	if k.random.IntN(10) > 0 {
		return
	}
	r, err := h.Verify(t.Context(), nil)
	if err != nil || len(r.Problems) > 0 || r.FileBytes > 8<<20 {
		t.Errorf("Verify = %+v, %v", r, err)
	}
	k.verified++
}

// compare compares the newest state, which may have half a step more than whole
// ones.
func (k *killed) compare(t *testing.T, past *Past, durable int) {
	t.Helper()
	have := progress(past.Table)
	if have < durable {
		t.Fatalf("%d steps are there, %d were durable", have, durable)
	}
	if have == k.want.next {
		return // it may have been killed before or after it had the sessions down
	}
	for _, b := range k.scenario.ups() {
		k.want.apply(b, k.scenario.at(k.want.next))
	}
	for k.want.next < have {
		k.want.step(k.scenario)
	}
	k.moments = append(k.moments, moment{k.scenario.at(have - 1), dump(k.want.table, netip.Prefix{})})
	got, want := dump(past.Table, netip.Prefix{}), dump(k.want.table, netip.Prefix{})
	if got == want {
		return
	}
	whole := firstDifference(want, got)
	k.want.apply(k.scenario.said(have), k.scenario.at(have))
	if want = dump(k.want.table, netip.Prefix{}); got != want {
		t.Errorf("after %d steps: %s\nand with half a step more: %s", have, whole, firstDifference(want, got))
	}
}

func (k *killed) compareMoments(t *testing.T, h *History) {
	t.Helper()
	for i := range min(3, len(k.moments)) {
		m := &k.moments[len(k.moments)-1]
		if i > 0 {
			m = &k.moments[k.random.IntN(len(k.moments))]
		}
		past, err := h.At(t.Context(), m.at, netip.Prefix{})
		wrong, certain := m.agree(past, err, netip.Prefix{}, true)
		if wrong != "" {
			t.Errorf("at %v: %s", m.at, wrong)
		}
		if certain {
			k.certain++
		} else {
			k.gone++
		}
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
