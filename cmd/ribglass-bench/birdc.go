package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// birdControl speaks the protocol of BIRD's control socket, as birdc does.
type birdControl struct {
	conn net.Conn
	in   *bufio.Reader
}

func dialBird(ctx context.Context, path string) (*birdControl, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	c := &birdControl{conn, bufio.NewReader(conn)}
	if _, err := c.reply(); err != nil {
		return nil, errors.Join(fmt.Errorf("greeting of BIRD: %w", err), conn.Close())
	}
	return c, nil
}

func (c *birdControl) close() { _ = c.conn.Close() }

// ask sends one command and returns the lines of the reply.
func (c *birdControl) ask(ctx context.Context, command string) ([]birdLine, error) {
	deadline, _ := ctx.Deadline()
	if err := c.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(c.conn, command+"\n"); err != nil {
		return nil, fmt.Errorf("ask BIRD: %w", err)
	}
	lines, err := c.reply()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	return lines, nil
}

// count sends one command and returns how many lines of the reply are routes.
// It keeps no line: a reply may have millions.
func (c *birdControl) count(ctx context.Context, command string) (int, error) {
	deadline, _ := ctx.Deadline()
	if err := c.conn.SetDeadline(deadline); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(c.conn, command+"\n"); err != nil {
		return 0, fmt.Errorf("ask BIRD: %w", err)
	}
	for routes := 0; ; {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return routes, err
		}
		if bytes.Contains(line, []byte(" [")) {
			routes++
		}
		if len(line) < 5 || line[0] == ' ' || line[4] != ' ' {
			continue
		}
		if line[0] >= '8' && string(line[:4]) != strconv.Itoa(birdNotFound) {
			return routes, fmt.Errorf("%s: %s", command, bytes.TrimSpace(line))
		}
		return routes, nil
	}
}

// birdLine is a line of a reply. Codes below 1000 end a reply, from 8000 on
// they are errors.
type birdLine struct {
	code int
	text string
}

// birdError is a reply that says no.
type birdError birdLine

func (e birdError) Error() string { return fmt.Sprintf("BIRD: %04d %s", e.code, e.text) }

// birdNotFound is the code of "Network not found".
const birdNotFound = 8001

// reply reads one reply: lines of a code, "-" and text, or a space and text
// with the code of the line before, up to one with a space after its code.
func (c *birdControl) reply() ([]birdLine, error) {
	var lines []birdLine
	code := 0
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimSuffix(line, "\n")
		if text, continued := strings.CutPrefix(line, " "); continued {
			lines = append(lines, birdLine{code, text})
			continue
		}
		if len(line) < 5 {
			return nil, fmt.Errorf("short line %q", line)
		}
		if code, err = strconv.Atoi(line[:4]); err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		last := birdLine{code, line[5:]}
		if line[4] == ' ' {
			if code >= 8000 {
				return lines, birdError(last)
			}
			return append(lines, last), nil
		}
		lines = append(lines, last)
	}
}

// routeCount finds "… of 3 routes for 2 networks in table NAME" in a reply.
func routeCount(lines []birdLine, table string) int {
	for _, l := range lines {
		counts, name, found := strings.Cut(l.text, " in table ")
		fields := strings.Fields(counts)
		if !found || name != table || len(fields) < 3 {
			continue
		}
		n, _ := strconv.Atoi(fields[2])
		return n
	}
	return 0
}

// dialBirdUntil dials until the socket is there.
func dialBirdUntil(ctx context.Context, p *process, path string) (*birdControl, error) {
	var c *birdControl
	err := poll(ctx, 20*time.Millisecond, p, func() (bool, error) {
		var err error
		c, err = dialBird(ctx, path)
		return err == nil, err
	})
	return c, err
}
