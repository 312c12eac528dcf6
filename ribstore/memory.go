package ribstore

import (
	"fmt"
	"runtime"
	runtimemetrics "runtime/metrics"
	"sync"
	"sync/atomic"

	"ribglass/setting"
)

// Strain tells how near the program is to its memory limit, and so what it gives
// up. Each degree gives up what those below it do.
type Strain uint32

// The degrees.
const (
	// Relaxed: nothing is given up.
	Relaxed Strain = iota
	// Warned: whole tables of the past are not kept for the next question.
	Warned
	// NoSearches: questions over the whole table are refused.
	NoSearches
	// NoNewRoutes: routes that the largest peer announces are not kept.
	NoNewRoutes
	// EndsSession: the session of the largest peer is ended, its routes removed.
	EndsSession

	numStrains = iota
)

// strainAt is where a degree begins, in percent of the limit. A degree ends when
// less than that less relaxedBy is used.
func strainAt(s Strain) uint64 { return [numStrains]uint64{0, 80, 85, 90, 95}[s] }

const relaxedBy = 5

// Memory is what the program may use and what it does use. All methods may be
// called by anyone at any time. The zero value has no limit.
//
// What is in use is what the last garbage collection found alive, and what the
// table grew by since. Garbage does not count: the runtime collects it before it
// exceeds the limit. Neither do the pages of the history's file, which the kernel
// takes back when it needs them.
type Memory struct {
	limit  atomic.Uint64 // bytes; 0: none
	used   atomic.Uint64 // when it was looked at last
	strain atomic.Uint32
	heap   func() heap // nil: the runtime's

	mu     sync.Mutex // guards what follows
	last   heap
	table  uint64   // bytes of the live table when it was looked at last
	before uint64   // bytes of the live table when last was read
	spare  []func() // each gives memory up that can be made again
}

// heap is what the runtime tells of its memory.
type heap struct {
	cycle uint64 // of the garbage collector
	live  uint64 // bytes of live objects, found by the cycle
	other uint64 // bytes of stacks and of the runtime
}

// SetLimit changes the limit in bytes; 0 is none.
func (m *Memory) SetLimit(bytes uint64) { m.limit.Store(bytes) }

// Limit returns the limit in bytes; 0 is none.
func (m *Memory) Limit() uint64 { return m.limit.Load() }

// Used returns the bytes in use, as of the last look.
func (m *Memory) Used() uint64 { return m.used.Load() }

// Strain returns how near the limit is, as of the last look.
func (m *Memory) Strain() Strain { return Strain(m.strain.Load()) }

// onStrain has f called whenever memory gets short. It may be called by any
// goroutine.
func (m *Memory) onStrain(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spare = append(m.spare, f)
}

// look measures the memory in use, of which the live table takes so many bytes, and
// returns how near the limit is.
func (m *Memory) look(table uint64) Strain {
	m.mu.Lock()
	m.table = table
	if now := m.read(); now.cycle != m.last.cycle {
		m.last, m.before = now, table
	}
	used := m.last.live + m.last.other + table
	used -= min(used, m.before)
	spare := m.spare
	m.mu.Unlock()
	m.used.Store(used)
	was := m.Strain()
	is := m.strainOf(used, was)
	m.strain.Store(uint32(is))
	if is > was {
		for _, give := range spare {
			give()
		}
	}
	return is
}

func (m *Memory) read() heap {
	if m.heap != nil {
		return m.heap()
	}
	return readHeap()
}

// strainOf returns how near the limit so many bytes are, when it was was before.
func (m *Memory) strainOf(used uint64, was Strain) Strain {
	limit := m.limit.Load()
	if limit == 0 {
		return Relaxed
	}
	percent := used * 100 / limit
	for s := EndsSession; s > Relaxed; s-- {
		at := strainAt(s)
		if s <= was {
			at -= relaxedBy
		}
		if percent >= at {
			return s
		}
	}
	return Relaxed
}

// MemoryError is returned for a question that needs more memory than is left of the
// limit. It is an [ErrBusy]: memory may be free later.
type MemoryError struct {
	Needs, Used, Limit uint64 // bytes; Needs is an estimate, 0: not known
}

// Error returns "too little memory: 200MiB in use, about 180MiB wanted, memory.limit
// is 256MiB".
func (e *MemoryError) Error() string {
	wanted := ""
	if e.Needs > 0 {
		wanted = fmt.Sprintf(", about %s wanted", setting.Size(e.Needs))
	}
	return fmt.Sprintf("too little memory: %s in use%s, memory.limit is %s", setting.Size(e.Used), wanted, setting.Size(e.Limit))
}

// Is reports whether target is [ErrBusy].
func (e *MemoryError) Is(target error) bool { return target == ErrBusy }

// room returns a [*MemoryError] when so many bytes more would come near the limit,
// even after everything was given up that can be made again.
func (m *Memory) room(bytes uint64) error {
	fits := func() bool {
		return m.strainOf(m.used.Load()+bytes, Relaxed) < NoSearches
	}
	if fits() {
		return nil
	}
	m.mu.Lock()
	spare := m.spare
	m.mu.Unlock()
	for _, give := range spare {
		give()
	}
	if m.heap == nil {
		runtime.GC() // only then is known what is free
	}
	m.mu.Lock()
	m.last, m.before = m.read(), m.table
	m.used.Store(m.last.live + m.last.other)
	m.mu.Unlock()
	if fits() {
		return nil
	}
	return &MemoryError{Needs: bytes, Used: m.used.Load(), Limit: m.limit.Load()}
}

// refusal returns a [*MemoryError] when memory is too short for questions over the
// whole table.
func (m *Memory) refusal() error {
	if m.Strain() < NoSearches {
		return nil
	}
	return &MemoryError{Used: m.used.Load(), Limit: m.limit.Load()}
}

// readHeap asks the runtime. It stops nothing and takes some microseconds.
func readHeap() heap {
	samples := []runtimemetrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/memory/classes/metadata/mcache/inuse:bytes"},
		{Name: "/memory/classes/metadata/mspan/inuse:bytes"},
		{Name: "/memory/classes/metadata/other:bytes"},
		{Name: "/memory/classes/other:bytes"},
	}
	runtimemetrics.Read(samples)
	value := func(i int) uint64 {
		if samples[i].Value.Kind() != runtimemetrics.KindUint64 {
			return 0
		}
		return samples[i].Value.Uint64()
	}
	h := heap{cycle: value(0), live: value(1)}
	for i := 2; i < len(samples); i++ {
		h.other += value(i)
	}
	return h
}
