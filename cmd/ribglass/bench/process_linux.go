package bench

import "syscall"

// dieWithParent has the kernel end the child when the benchmark is killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
