package history

import (
	"context"
	"errors"
	"slices"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
)

// sweepBatch is how many keys go in one transaction.
const sweepBatch = 1000

// tidy removes the chunks and blocks of a snapshot or a merge that a crash ended.
func (h *History) tidy(ctx context.Context) error {
	h.keeping.Lock()
	defer h.keeping.Unlock()
	if err := h.sweepBlocks(ctx); err != nil {
		return err
	}
	return h.sweepChunks(ctx)
}

// sweepChunks removes the chunks that no snapshot refers to.
func (h *History) sweepChunks(ctx context.Context) error {
	used := make(map[format.Hash]bool)
	for _, s := range h.index.Load().Snapshots {
		m, err := h.manifest(&s)
		if err != nil {
			if errors.Is(err, format.ErrDamaged) {
				continue // its chunks are of no use
			}
			return err
		}
		for i := range m.Ranges {
			used[m.Ranges[i].Base] = true
			for _, change := range m.Ranges[i].Changes {
				used[change] = true
			}
		}
	}
	return h.sweepKeys(ctx, format.BucketChunks, func(k []byte) bool {
		at, ok := format.ParseHash(k)
		return !ok || !used[at]
	})
}

// sweepBlocks removes the blocks of segments that were not finished.
func (h *History) sweepBlocks(ctx context.Context) error {
	used := make(map[string]bool)
	x := h.index.Load()
	for i := range x.Pieces {
		used[string(x.Pieces[i].Key())] = true
	}
	return h.sweepKeys(ctx, format.BucketBlocks, func(k []byte) bool {
		segment, ok := format.SegmentOfBlock(k)
		return !ok || !used[string(segment)]
	})
}

// sweepKeys removes the keys of a bucket that waste reports true for.
func (h *History) sweepKeys(ctx context.Context, bucket []byte, waste func([]byte) bool) error {
	var keys [][]byte
	err := h.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			if waste(k) {
				keys = append(keys, slices.Clone(k))
			}
		}
		return nil
	})
	for batch := range slices.Chunk(keys, sweepBatch) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		err = h.remove(func(tx *bbolt.Tx) error {
			for _, k := range batch {
				if err := tx.Bucket(bucket).Delete(k); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return err
}
