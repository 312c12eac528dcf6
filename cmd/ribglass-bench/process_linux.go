package main

import "syscall"

// childAttributes has the kernel end the child when the benchmark is killed. A
// group of its own keeps the terminal's interrupt from it: the benchmark stops it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}
