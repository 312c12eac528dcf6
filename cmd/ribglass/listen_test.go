package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestTheURLToOpenIsOneThatAnswers(t *testing.T) {
	for at, want := range map[string]string{
		"127.0.0.1:8080":  "http://localhost:8080",
		"0.0.0.0:80":      "http://localhost:80",
		"[::]:80":         "http://localhost:80",
		"127.22.0.1:8080": "http://127.22.0.1:8080",
		"[::1]:8080":      "http://[::1]:8080",
		"192.0.2.1:80":    "http://192.0.2.1:80",
	} {
		addr, err := net.ResolveTCPAddr("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		if got := browse(addr); got != want {
			t.Errorf("browse(%s) = %s, want %s", at, got, want)
		}
	}
}

func TestAPortWithoutPrivilegeSaysWhatIsMissing(t *testing.T) {
	denied := func(port int, cause error) error {
		return fmt.Errorf("listen for BGP: %w", &net.OpError{
			Op: "listen", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4zero, Port: port}, Err: os.NewSyscallError("bind", cause),
		})
	}
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"port 179", denied(179, syscall.EACCES), "bind: permission denied: ports below 1024 need CAP_NET_BIND_SERVICE"},
		{"the way of systemd", denied(179, syscall.EACCES), "AmbientCapabilities=CAP_NET_BIND_SERVICE"},
		{"the way of sysctl", denied(179, syscall.EACCES), "ip_unprivileged_port_start=179"},
		{"an address in use", denied(179, syscall.EADDRINUSE), "bind: address already in use"},
		{"denied for another reason", denied(1790, syscall.EACCES), "bind: permission denied"},
		{"another error", errors.New("out of luck"), "out of luck"},
	} {
		got := explainBind(row.err)
		if !strings.Contains(got.Error(), row.want) || !errors.Is(got, row.err) {
			t.Errorf("%s: %v, want %q", row.name, got, row.want)
		}
		if strings.Contains(row.want, "CAP_") != strings.Contains(got.Error(), "CAP_") && !strings.Contains(row.want, "sysctl") && !strings.Contains(row.want, "port_start") {
			t.Errorf("%s: %v", row.name, got)
		}
	}
	if got := explainBind(nil); got != nil {
		t.Errorf("explainBind(nil) = %v", got)
	}
}
