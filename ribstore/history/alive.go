package history

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"time"
)

// A journal in which nothing happens does not tell when recording ended. So a small
// file beside it says every second until when the program ran, and a start dates the
// end of the sessions by it. It is written over in place, which costs no space, and
// never waits for the disk: after the loss of power it may be half a minute old, or not
// there, and the last record counts, as without it.

// aliveSuffix is how the name of that file ends, behind the name of the history.
const aliveSuffix = ".alive"

// aliveFormat begins the file; the run (4), the moment (8) and a CRC-32C follow.
const aliveFormat = "ribglass alive 1\n"

const aliveOctets = len(aliveFormat) + 4 + 8 + 4

var aliveSums = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // constant

// encodeAlive returns the content of the file.
func encodeAlive(at position) []byte {
	b := binary.BigEndian.AppendUint32([]byte(aliveFormat), at.run)
	b = binary.BigEndian.AppendUint64(b, uint64(at.at))
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, aliveSums))
}

// decodeAlive is the inverse of encodeAlive. It returns the zero position for anything
// else.
func decodeAlive(b []byte) position {
	const head = len(aliveFormat)
	if len(b) != aliveOctets || string(b[:head]) != aliveFormat ||
		binary.BigEndian.Uint32(b[aliveOctets-4:]) != crc32.Checksum(b[:aliveOctets-4], aliveSums) {
		return position{}
	}
	return position{binary.BigEndian.Uint32(b[head:]), int64(binary.BigEndian.Uint64(b[head+4:]))}
}

// beat says that the program runs and that all it recorded is in the file.
func (h *History) beat(now time.Time) {
	if h.file.Load().readOnly || h.Trouble() != "" {
		return
	}
	at, recording := h.journal.reached(now)
	if !recording {
		return
	}
	err := h.writeAlive(at)
	if err != nil && !h.aliveFails {
		h.deps.Logger.Warn("the end of recording cannot be noted; after a crash it is dated by the last record", "error", err)
	}
	h.aliveFails = err != nil
}

func (h *History) writeAlive(at position) error {
	f, err := openBeside(h.file.Load().path + aliveSuffix)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(encodeAlive(at), 0)
	return errors.Join(err, f.Close())
}

// openBeside opens a file of ours to be written over.
func openBeside(path string) (*os.File, error) {
	return openRegular(path, os.O_WRONLY|os.O_CREATE, 0o600)
}

// endedAt returns when recording ended, as far as that is known: at the last record, or
// later when the program still ran then.
func (h *History) endedAt(last position) position {
	b, err := os.ReadFile(h.file.Load().path + aliveSuffix)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			h.deps.Logger.Warn("when recording ended cannot be read; it is dated by the last record", "error", err)
		}
		return last
	}
	if at := decodeAlive(b); at.run == last.run && at.at > last.at {
		return at
	}
	return last
}

// reached returns the moment up to which everything is recorded, and whether anything
// is recorded at all. All but what came since is in the file.
func (j *journal) reached(now time.Time) (at position, recording bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return position{j.now.ID, max(j.last, now.UnixMilli())}, !j.off && j.open.Records == 0 && len(j.pending.groups) == 0 && len(j.pending.runs) == 0
}
