package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a receiver that runs as a child: it is measured from outside, by
// /proc, and stopped by its id.
type process struct {
	command *exec.Cmd
	log     string // path of what it printed
	ended   chan struct{}
}

// start runs a program whose output goes to a file in dir.
func start(dir, path string, args ...string) (*process, error) {
	name := filepath.Join(dir, filepath.Base(path)+".log")
	out, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &process{command: exec.Command(path, args...), log: name, ended: make(chan struct{})} //nolint:gosec,noctx // our own binary or the BIRD the user named; stop ends it
	p.command.Stdout, p.command.Stderr = out, out
	p.command.Env = cleanEnvironment(os.Environ())
	p.command.SysProcAttr = childAttributes()
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	go func() {
		_ = p.command.Wait() // its ProcessState says how it ended
		close(p.ended)
	}()
	return p, nil
}

// cleanEnvironment leaves out what would change the child's settings.
func cleanEnvironment(env []string) []string {
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "RIBGLASS_") })
}

func (p *process) pid() int { return p.command.Process.Pid }

// stop asks the process to end, insists after ten seconds, and waits.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return
	case <-time.After(10 * time.Second):
	}
	_ = p.command.Process.Kill()
	<-p.ended
}

// alive returns an error with the last of its output when the process ended.
func (p *process) alive() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended (%v); its last words:\n%s", p.command.Path, p.command.ProcessState, p.tail())
	default:
		return nil
	}
}

func (p *process) tail() []byte {
	const octets = 1000
	b, err := os.ReadFile(p.log)
	if err != nil {
		return nil
	}
	return b[max(0, len(b)-octets):]
}

// usage is what a process has used so far.
type usage struct {
	cpu      time.Duration // user and system
	peak     uint64        // resident octets, the most so far
	resident uint64
}

var errStatFormat = errors.New("unexpected format")

// selfCPU is the processor time that this process has used; zero where it cannot
// be read.
func selfCPU() time.Duration {
	u, _ := usageOf("self")
	return u.cpu
}

func (p *process) usage() (usage, error) { return usageOf(strconv.Itoa(p.pid())) }

// usageOf reads /proc/PID/stat and status (proc(5)).
func usageOf(pid string) (usage, error) {
	dir := "/proc/" + pid + "/"
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return usage{}, err
	}
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return usage{}, err
	}
	u, err := parseUsage(stat, status)
	if err != nil {
		return usage{}, fmt.Errorf("read %s: %w", dir, err)
	}
	return u, nil
}

func parseUsage(stat, status []byte) (usage, error) {
	// The name in parentheses may hold anything; the fields follow the last one.
	const utime, stime = 11, 12
	_, rest, found := strings.Cut(string(stat[max(0, bytes.LastIndexByte(stat, ')')):]), " ")
	fields := strings.Fields(rest)
	if !found || len(fields) <= stime {
		return usage{}, errStatFormat
	}
	var u usage
	for _, field := range fields[utime : stime+1] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return usage{}, errStatFormat
		}
		// USER_HZ is 100 on every Linux that Go runs on.
		u.cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "VmHWM":
			u.peak = parseKB(value)
		case "VmRSS":
			u.resident = parseKB(value)
		}
	}
	if u.peak == 0 {
		return usage{}, errStatFormat
	}
	return u, nil
}

// parseKB reads "  1234 kB".
func parseKB(s string) uint64 {
	n, _ := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "kB")), 10, 64)
	return n << 10
}

// freePort returns a TCP port of loopback that was free a moment ago.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// poll asks until the answer is yes, at most until the deadline of ctx.
func poll(ctx context.Context, every time.Duration, p *process, ask func() (bool, error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		yes, err := ask()
		if yes {
			return nil
		}
		if dead := p.alive(); dead != nil {
			return dead
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-ticker.C:
		}
	}
}
