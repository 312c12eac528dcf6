package collector_test

import (
	"sync"
	"testing"

	"ribglass/collector"
)

func TestBellWakesThoseWhoListenAndNoOthers(t *testing.T) {
	var bell collector.Bell
	bell.Ring() // nobody listens
	first, stopFirst := bell.Listen()
	second, stopSecond := bell.Listen()
	defer stopSecond()
	bell.Ring()
	bell.Ring() // nobody received the ring before: they are one
	<-first
	select {
	case <-first:
		t.Error("two rings that nobody received are two")
	default:
	}
	stopFirst()
	<-second
	bell.Ring()
	<-second
	select {
	case <-first:
		t.Error("a listener that stopped hears the bell")
	default:
	}
}

func TestNilBellIsSilent(*testing.T) {
	var bell *collector.Bell
	bell.Ring()
}

func TestBellIsRungWhileOthersComeAndGo(*testing.T) {
	var bell collector.Bell
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 1000 {
				bell.Ring()
			}
		})
		group.Go(func() {
			for range 1000 {
				_, stop := bell.Listen()
				stop()
			}
		})
	}
	group.Wait()
}
