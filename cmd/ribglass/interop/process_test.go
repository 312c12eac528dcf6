package interop

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// process is a program that a test runs. It is stopped at the end of the test
// at the latest, and what it wrote is shown when the test failed.
type process struct {
	cmd     *exec.Cmd
	logFile string
	exited  chan struct{} // closed when the process has ended
}

// startProcess runs a program in a process group of its own.
func startProcess(t testing.TB, dir, name string, args ...string) *process {
	t.Helper()
	p := &process{
		cmd:     exec.Command(name, args...),
		logFile: filepath.Join(dir, filepath.Base(name)+".log"),
		exited:  make(chan struct{}),
	}
	log, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // the exit status is in ProcessState
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("%s wrote, at the end:\n%s", name, p.tail())
		}
	})
	return p
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// signal sends a signal to the process alone.
func (p *process) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("signal %v: %v", s, err)
	}
}

// wait waits for the end of the process and reports whether it came in time.
func (p *process) wait(within time.Duration) bool {
	select {
	case <-p.exited:
		return true
	case <-time.After(within):
		return false
	}
}

// stop ends the process as an operator would, and by force after five seconds.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if !p.running() {
		return
	}
	p.signal(t, syscall.SIGTERM)
	if !p.wait(5 * time.Second) {
		p.kill()
	}
}

// kill ends the process and its children at once, as a crash would.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // fails only when it is gone
	<-p.exited
}

// tail returns the last lines that the process wrote.
func (p *process) tail() []byte {
	const most = 6000
	log, err := os.ReadFile(p.logFile)
	if err != nil {
		return []byte(err.Error())
	}
	if len(log) > most {
		log = log[len(log)-most:]
	}
	return log
}

// logged reports whether the process wrote the text.
func (p *process) logged(text string) bool {
	log, err := os.ReadFile(p.logFile)
	return err == nil && bytes.Contains(log, []byte(text))
}

// output runs a command to its end and returns its standard output.
func output(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s %q: %w: %s%s", name, args, err, stderr.Bytes(), out)
	}
	return out, nil
}

// needProgram skips the test when a program is not installed, and fails it in
// CI, where all are.
func needProgram(t testing.TB, path, debianPackage string) {
	t.Helper()
	if _, err := exec.LookPath(path); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed (Debian package %s), and CI is set", path, debianPackage)
	}
	t.Skipf("%s is not installed (Debian package %s)", path, debianPackage)
}

// workDir makes a directory with a short name: the path of a Unix socket in it
// must stay below 108 bytes.
func workDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rg") //nolint:usetesting // t.TempDir has the name of the test in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func writeFile(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// lastPort is the port that was handed out last. Ports are taken from below the
// range that the kernel gives to connections, so that none takes one away
// between choice and use.
var lastPort atomic.Uint32

const firstPort, portCount = 20000, 12000

// freePort returns a TCP port of the address that nobody listens on and that was
// not handed out before.
func freePort(t testing.TB, addr string) uint16 {
	t.Helper()
	lastPort.CompareAndSwap(0, 1+rand.Uint32N(portCount))
	for range portCount {
		port := uint16(firstPort + lastPort.Add(1)%portCount)
		at := netip.AddrPortFrom(netip.MustParseAddr(addr), port)
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		if err != nil {
			continue // in use
		}
		l.Close()
		return port
	}
	t.Fatalf("no free port on %s", addr)
	return 0
}
