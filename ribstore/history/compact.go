package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"ribglass/ribstore/history/format"
)

// bbolt uses freed pages again but never makes its file smaller. When much of the
// file is free, the history copies it to a new file. It copies some values at a
// time, so that records can be written meanwhile and the copy can be interrupted.
// Values that were added meanwhile are copied last, while nobody reads or writes.

const (
	worthFraction = 3 // of the file is free when it is copied
	copyBatch     = 4 << 20
)

func temporary(path string) string { return path + ".compacting" }

// compactIfWorth copies the file when much of it is free and nothing is about to use
// that, or when it is larger than its maximum, which was larger before.
func (h *History) compactIfWorth(ctx context.Context) error {
	now := h.deps.Now()
	total, free := h.file.Load().size()
	much := free >= h.limits.worthBytes && free >= total/worthFraction
	if last := h.lastDropped.Load(); last != nil && now.Sub(*last) < h.limits.compactEvery {
		much = false // what was dropped for want of room leaves room for what comes
	}
	tooLarge := total > h.config.MaxSize && total-free < h.config.MaxSize
	if !much && !tooLarge || now.Sub(h.compacted).Abs() < h.limits.compactEvery {
		return nil
	}
	h.compacted = now
	return h.compact(ctx)
}

// compact copies the file. It is called with keeping held.
func (h *History) compact(ctx context.Context) error {
	path := h.file.Load().path
	total, free := h.file.Load().size()
	var disk unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &disk); err == nil && int64(disk.Bavail)*disk.Bsize < total-free+h.limits.worthBytes {
		h.deps.Logger.WarnContext(ctx, "no room on the disk to compact the history", "needed_bytes", total-free+h.limits.worthBytes)
		return nil
	}
	target := temporary(path)
	if err := os.Remove(target); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	c := compaction{history: h, last: make(map[string][]byte)}
	if err := c.run(ctx, target); err != nil {
		return errors.Join(fmt.Errorf("compact: %w", err), os.Remove(target))
	}
	after, _ := h.file.Load().size()
	h.deps.Logger.InfoContext(ctx, "compacted the history", "bytes_before", total, "bytes_after", after)
	return nil
}

type compaction struct {
	history *History
	to      *file
	last    map[string][]byte // the key copied last, by bucket
}

func (c *compaction) run(ctx context.Context, target string) error {
	h := c.history
	var err error
	if c.to, err = openFile(target, false, h.config.MaxSize); err != nil {
		return err
	}
	c.to.db.NoSync = true
	for _, bucket := range format.Buckets() {
		if err := c.copyBucket(ctx, bucket, h.view); err != nil {
			return errors.Join(err, c.to.close())
		}
	}
	h.swap.Lock()
	defer h.swap.Unlock()
	from := h.file.Load()
	delete(c.last, string(format.BucketMeta)) // the end is written again and again
	for _, bucket := range format.Buckets() {
		if err := c.copyBucket(ctx, bucket, from.view); err != nil {
			return errors.Join(err, c.to.close())
		}
	}
	c.to.db.NoSync = false
	if err := errors.Join(c.to.db.Sync(), os.Rename(target, from.path), syncDir(filepath.Dir(from.path))); err != nil {
		return errors.Join(err, c.to.close())
	}
	c.to.path = from.path
	h.file.Store(c.to)
	if err := from.close(); err != nil {
		h.deps.Logger.WarnContext(ctx, "the old file did not close", "error", err)
	}
	return nil
}

type keyValue struct{ key, value []byte }

// copyBucket copies what comes after the key copied last.
func (c *compaction) copyBucket(ctx context.Context, bucket []byte, view func(func(*bbolt.Tx) error) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var batch []keyValue
		err := view(func(tx *bbolt.Tx) error {
			batch = c.batch(tx.Bucket(bucket), c.last[string(bucket)])
			return nil
		})
		if err != nil || len(batch) == 0 {
			return err
		}
		err = c.to.update(func(tx *bbolt.Tx) error {
			bounded(tx, c.history.config.MaxSize)
			b := tx.Bucket(bucket)
			b.FillPercent = 0.9
			for _, kv := range batch {
				if err := b.Put(kv.key, kv.value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		c.last[string(bucket)] = batch[len(batch)-1].key
	}
}

func (c *compaction) batch(b *bbolt.Bucket, last []byte) []keyValue {
	var list []keyValue
	octets := 0
	cursor := b.Cursor()
	for k, v := cursor.Seek(last); k != nil && octets < copyBatch; k, v = cursor.Next() {
		if last != nil && string(k) == string(last) {
			continue
		}
		list = append(list, keyValue{slices.Clone(k), slices.Clone(v)})
		octets += len(k) + len(v)
	}
	return list
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the directory of our own file
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
