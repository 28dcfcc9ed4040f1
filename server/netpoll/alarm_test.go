package netpoll_test

import (
	"sync"
	"testing"
	"time"

	"skirmish/server/netpoll"
)

// BenchmarkAlarm is how late a timer of 5 ms is, with an alarm and without, in a process with nothing else to do.
func BenchmarkAlarm(b *testing.B) {
	d, err := netpoll.Open("")
	if err != nil {
		b.Fatal(err)
	}
	for name, alarm := range map[string]*netpoll.Alarm{"without": nil, "with": netpoll.NewAlarm(d)} {
		b.Run(name, func(b *testing.B) {
			defer alarm.Close()
			var late time.Duration
			timer := time.NewTimer(0)
			<-timer.C
			for b.Loop() {
				until := time.Now().Add(5*time.Millisecond + 300*time.Microsecond)
				timer.Reset(time.Until(until))
				alarm.At(until)
				<-timer.C
				late += time.Since(until)
			}
			b.ReportMetric(float64(late.Microseconds())/float64(b.N), "µs-late")
		})
	}
}

// Many set it at once, past and future, and it ends when it is told to.
func TestAlarm(t *testing.T) {
	for _, k := range kinds(t) {
		t.Run(k.name, func(t *testing.T) {
			leavesNothing(t, func(t *testing.T) {
				a := netpoll.NewAlarm(k.driver)
				var wg sync.WaitGroup
				for i := range 8 {
					wg.Go(func() {
						for j := range 200 {
							a.At(time.Now().Add(time.Duration((i*37+j*101)%50-10) * 100 * time.Microsecond))
						}
					})
				}
				wg.Wait()
				timer := time.NewTimer(time.Millisecond)
				a.At(time.Now().Add(time.Millisecond))
				<-timer.C
				a.Close()
			})
		})
	}
}
