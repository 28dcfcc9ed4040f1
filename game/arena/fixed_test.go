package arena

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The floating-point functions of the standard library are the stupid twins here.

func TestSineIsTheSine(t *testing.T) {
	for a := range fullTurn {
		want := math.Sin(float64(a) * 2 * math.Pi / fullTurn)
		if got := float64(sin(uint16(a))) / One; math.Abs(got-want) > 1.6/One {
			t.Fatalf("sin(%d) = %.6f, want %.6f", a, got, want)
		}
	}
	for a, want := range map[uint16]int32{0: 0, 1 << 14: One, 1 << 15: 0, 3 << 14: -One} {
		if sin(a) != want || cos(a-1<<14) != want {
			t.Errorf("sin(%d) = %d, cos(%d) = %d, want %d", a, sin(a), a-1<<14, cos(a-1<<14), want)
		}
	}
}

func TestAngleOfIsTheArcTangent(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		x, y := int32(r.IntN(1<<22)-1<<21), int32(r.IntN(1<<22)-1<<21)
		if r.IntN(4) == 0 {
			x, y = x%16, y%16
		}
		if x|y == 0 {
			continue
		}
		want := math.Atan2(float64(y), float64(x)) * fullTurn / (2 * math.Pi)
		if diff := math.Abs(float64(int16(angleOf(x, y) - uint16(int32(math.Round(want)))))); diff > 4 {
			t.Fatalf("angleOf(%d, %d) = %d, want %.1f", x, y, angleOf(x, y), want)
		}
	}
	for _, c := range []struct {
		x, y int32
		want uint16
	}{{0, 0, 0}, {5, 0, 0}, {0, 5, 1 << 14}, {-5, 0, 1 << 15}, {0, -5, 3 << 14}, {3, 3, 1 << 13}, {-1, -1, 5 << 13}} {
		if got := angleOf(c.x, c.y); got != c.want {
			t.Errorf("angleOf(%d, %d) = %d, want %d", c.x, c.y, got, c.want)
		}
	}
}

func TestIsqrtRoundsDown(t *testing.T) {
	check := func(n int64) {
		if got := isqrt(n); got*got > n || (got+1)*(got+1) <= n {
			t.Fatalf("isqrt(%d) = %d", n, got)
		}
		if twin := int64(math.Floor(math.Sqrt(float64(n)))); twin != isqrt(n) {
			t.Fatalf("isqrt(%d) = %d, a JavaScript port gets %d", n, isqrt(n), twin)
		}
	}
	for n := range int64(100_000) {
		check(n)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		root := r.Int64N(1 << 26)
		check(root * root)
		check(root*root + 2*root)
		check(max(root*root-1, 0))
	}
}
