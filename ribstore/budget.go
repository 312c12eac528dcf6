package ribstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
)

// Kind is a kind of work of which only so much may be under way at a time.
type Kind uint8

// The kinds.
const (
	// Searches are questions that more than one descent of the trie answers.
	Searches Kind = iota
	// NarrowPast are questions about one prefix in the past. One takes a few
	// milliseconds and little memory.
	NarrowPast
	// Comparisons hold two tables each.
	Comparisons
	// Drawings are pictures being drawn.
	Drawings
	// Streams are answers that are written while they are found.
	Streams
	// PastStreams are streams about the past. Each may hold a whole table for as
	// long as its client takes.
	PastStreams
	// EventStreams tell a client what happens, for as long as it listens.
	EventStreams
	// Turns are the pieces that searches are done in, see [Budget.Turn].
	Turns

	// NumKinds is how many kinds there are.
	NumKinds = iota
)

// String returns the kind as the metrics name it: "searches", "narrow-past".
func (k Kind) String() string {
	names := [NumKinds]string{
		"searches", "narrow-past", "comparisons", "drawings", "streams", "past-streams", "event-streams", "turns",
	}
	if int(k) >= len(names) {
		return fmt.Sprintf("kind-%d", uint8(k))
	}
	return names[k]
}

// Limit bounds one kind of work.
type Limit struct {
	Places int           // how many may be under way at a time, 1 or more
	Wait   time.Duration // how long one waits for a place; 0: not at all
}

// Limits bound each kind of work.
type Limits [NumKinds]Limit

// Limits returns the limits that the configuration of a store says, and the
// defaults of the others.
func (c Config) Limits() Limits {
	return Limits{
		Searches:     {Places: c.Searches, Wait: c.SearchWait},
		NarrowPast:   {Places: 4, Wait: c.SearchWait},
		Comparisons:  {Places: 2, Wait: 15 * time.Second},
		Drawings:     {Places: 2, Wait: 5 * time.Second},
		Streams:      {Places: 16},
		PastStreams:  {Places: 2},
		EventStreams: {Places: 256},
		Turns:        {Places: runtime.GOMAXPROCS(0)},
	}
}

// ErrBusy is what every [*BusyError] is, by errors.Is. It says to come again.
var ErrBusy = errors.New("too much at a time")

// BusyError is returned when as much work of a kind is under way as may be, and
// stays so for as long as one waits for a place.
type BusyError struct {
	Kind   Kind
	Places int // how many there are
}

// Error returns "too many searches at a time".
func (e *BusyError) Error() string { return "too many " + e.Kind.String() + " at a time" }

// Is reports whether target is [ErrBusy].
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// Budget is how much work of each kind may be under way at a time. Whoever does
// such work takes a place first and gives it back after. Those who wait for a
// place of one kind get it in the order in which they came. All methods may be
// called by anyone at any time. The zero value is not usable, see [NewBudget].
type Budget struct {
	kinds  [NumKinds]places
	memory Memory
}

// Memory returns the memory that all work shares. It has no limit at first.
func (b *Budget) Memory() *Memory { return &b.memory }

// whole reports whether work of the kind goes through a whole table.
func (k Kind) whole() bool {
	return k == Searches || k == Comparisons || k == Drawings || k == PastStreams
}

// places are those of one kind of work.
type places struct {
	limit     Limit
	free      *semaphore.Weighted
	underWay  atomic.Int64
	waiting   atomic.Int64
	begun     atomic.Uint64
	refused   atomic.Uint64
	exhausted *BusyError
}

// NewBudget returns a budget with metrics in the registry, which may be nil. It
// fails when a limit is not valid or a metric is registered already.
func NewBudget(limits Limits, r prometheus.Registerer) (*Budget, error) {
	b := new(Budget)
	for i, limit := range limits {
		kind := Kind(i)
		if limit.Places < 1 || limit.Wait < 0 {
			return nil, fmt.Errorf("budget of %s: %d places and a wait of %v: must be positive", kind, limit.Places, limit.Wait)
		}
		p := &b.kinds[i]
		p.limit, p.free = limit, semaphore.NewWeighted(int64(limit.Places))
		p.exhausted = &BusyError{kind, limit.Places}
	}
	if r == nil {
		return b, nil
	}
	return b, r.Register(budgetMetrics{b})
}

// Enter takes a place for work of a kind, which leave gives back; leave may be
// called more than once. When there is none, Enter waits as long as the limits
// of the kind say. Errors are a [*BusyError], also when the deadline of the
// context comes while Enter waits, a [*MemoryError] while memory is too short, and
// else the cause of the context's end.
func (b *Budget) Enter(ctx context.Context, kind Kind) (leave func(), err error) {
	p := &b.kinds[kind]
	if kind.whole() {
		if err := b.memory.refusal(); err != nil {
			p.refused.Add(1)
			return nil, err
		}
	}
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	return sync.OnceFunc(p.leave), nil
}

func (p *places) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !p.free.TryAcquire(1) {
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
	p.underWay.Add(1)
	p.begun.Add(1)
	return nil
}

func (p *places) leave() {
	p.underWay.Add(-1)
	p.free.Release(1)
}

// wait waits for a place.
func (p *places) wait(ctx context.Context) error {
	if p.limit.Wait == 0 {
		p.refused.Add(1)
		return p.exhausted
	}
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	waiting, cancel := context.WithTimeoutCause(ctx, p.limit.Wait, p.exhausted)
	defer cancel()
	if p.free.Acquire(waiting, 1) == nil {
		return nil
	}
	err := context.Cause(waiting)
	if errors.Is(err, p.exhausted) || errors.Is(err, context.DeadlineExceeded) {
		p.refused.Add(1)
		return p.exhausted
	}
	return err
}

// While searches queue up, a turn lasts about as long as a lookup may be kept
// waiting; then its processor rests, so that the runtime looks at the network.
const (
	turn = time.Millisecond
	rest = 50 * time.Microsecond
)

// Turn calls work again and again until it returns false or a turn is over, and
// reports whether there is more to do. At most as many turns are under way as
// there are places for them, and while others wait each ends with a rest:
// however many search, lookups come between.
func (b *Budget) Turn(work func() bool) (more bool) {
	p := &b.kinds[Turns]
	p.enterTurn()
	defer p.leave()
	for began := time.Now(); time.Since(began) < turn; {
		if !work() {
			return false
		}
	}
	if p.waiting.Load() > 0 {
		time.Sleep(rest)
	}
	return true
}

// enterTurn waits for a place however long that takes: turns are short.
func (p *places) enterTurn() {
	p.waiting.Add(1)
	_ = p.free.Acquire(context.Background(), 1) // its context does not end
	p.waiting.Add(-1)
	p.underWay.Add(1)
	p.begun.Add(1)
}

// budgetMetrics reads the budget when it is asked for.
type budgetMetrics struct{ budget *Budget }

// Describe implements prometheus.Collector.
func (m budgetMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect implements prometheus.Collector.
func (m budgetMetrics) Collect(ch chan<- prometheus.Metric) {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("ribglass_ribstore_work_"+name, help, []string{"kind"}, nil)
	}
	limit := describe("limit", "Work of a kind that may be under way at a time.")
	underWay := describe("under_way", "Work of a kind that is under way.")
	waiting := describe("waiting", "Work of a kind that waits for its place.")
	begun := describe("begun_total", "Work of a kind that was begun.")
	refused := describe("refused_total", "Work of a kind that was refused because there was too much of it at a time.")
	for i := range m.budget.kinds {
		p, kind := &m.budget.kinds[i], Kind(i).String()
		send := func(d *prometheus.Desc, t prometheus.ValueType, v float64) {
			ch <- prometheus.MustNewConstMetric(d, t, v, kind)
		}
		send(limit, prometheus.GaugeValue, float64(p.limit.Places))
		send(underWay, prometheus.GaugeValue, float64(p.underWay.Load()))
		send(waiting, prometheus.GaugeValue, float64(p.waiting.Load()))
		send(begun, prometheus.CounterValue, float64(p.begun.Load()))
		send(refused, prometheus.CounterValue, float64(p.refused.Load()))
	}
}
