package session

import (
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	start := time.Unix(1000, 0)
	type step struct {
		after time.Duration // since the start
		take  int
		want  bool
	}
	for _, story := range []struct {
		name        string
		rate, burst int
		steps       []step
	}{
		{"a full bucket gives its burst and no more", 10, 3, []step{{0, 1, true}, {0, 2, true}, {0, 1, false}}},
		{"credit comes back with the clock", 10, 3, []step{{0, 3, true}, {99 * time.Millisecond, 1, false}, {100 * time.Millisecond, 1, true}}},
		{"credit never grows beyond the burst", 10, 3, []step{{time.Hour, 3, true}, {time.Hour, 1, false}}},
		{"a refused take costs nothing", 10, 3, []step{{0, 4, false}, {0, 3, true}}},
		{"an exact rate is never refused", 40, 40, []step{{0, 40, true}, {25 * time.Millisecond, 1, true}, {50 * time.Millisecond, 1, true}, {75 * time.Millisecond, 1, true}}},
	} {
		t.Run(story.name, func(t *testing.T) {
			var b bucket
			for i, s := range story.steps {
				if got := b.take(start.Add(s.after), s.take, story.rate, story.burst); got != s.want {
					t.Fatalf("step %d: take(%d) = %v, want %v", i, s.take, got, s.want)
				}
			}
		})
	}
}

func TestBucketSpendsAfterTheFact(t *testing.T) {
	now := time.Unix(1000, 0)
	var b bucket
	if !b.has(now, 100, 100) {
		t.Fatal("a fresh bucket is empty")
	}
	b.spend(now, 250, 100) // more than was there: paid back later
	if b.has(now, 100, 100) {
		t.Fatal("spending beyond the burst left credit")
	}
	if b.has(now.Add(1500*time.Millisecond), 100, 100) {
		t.Fatal("the debt of 1.5 s was forgiven")
	}
	if !b.has(now.Add(1501*time.Millisecond), 100, 100) {
		t.Fatal("the debt never ends")
	}
}
