package bgp

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// metric returns the value of the series of a family with a label value.
func (b *bench) metric(family, label string) float64 {
	b.t.Helper()
	gathered, err := b.registry.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range gathered {
		if f.GetName() != family {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == label {
					return m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return 0
}

func TestMetricsFollowTheConventions(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	problems, err := testutil.GatherAndLint(b.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	gathered, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range gathered {
		if !strings.HasPrefix(f.GetName(), "ribglass_collector_") {
			t.Errorf("metric %s", f.GetName())
		}
	}
	if v := b.metric("ribglass_collector_session_state", "active"); v != 1 {
		t.Errorf("state active = %v, want 1", v)
	}
}
