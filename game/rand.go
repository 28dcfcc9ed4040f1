package game

import (
	"math/bits"
	"math/rand/v2"
)

// Rand is a seeded source of numbers: the same seed gives the same numbers on every machine and with every Go
// version. Its state can be saved with msgpack, so a Sim may hold one of its own in an exported field.
type Rand struct{ pcg rand.PCG }

// NewRand returns a Rand of its own, for New to build a map from Match.Seed without touching the tick's.
func NewRand(seed uint64) *Rand {
	r := new(Rand)
	r.Seed(seed)
	return r
}

// Seed starts the sequence of seed again.
func (r *Rand) Seed(seed uint64) { r.pcg.Seed(seed, mix64(seed)) }

// Uint64 returns 64 random bits.
func (r *Rand) Uint64() uint64 { return r.pcg.Uint64() }

// Uint32 returns 32 random bits.
func (r *Rand) Uint32() uint32 { return uint32(r.pcg.Uint64() >> 32) }

// UintN returns a number in [0, n). It panics if n is 0.
func (r *Rand) UintN(n uint64) uint64 {
	if n == 0 {
		panic("game: Rand.UintN(0)")
	}
	// Multiply and shift, with the few values refused that would make some results likelier (Lemire). Written
	// out here because math/rand/v2 promises the bits of a PCG but not the way to a bounded number.
	hi, lo := bits.Mul64(r.pcg.Uint64(), n)
	if lo < n {
		for refuse := -n % n; lo < refuse; {
			hi, lo = bits.Mul64(r.pcg.Uint64(), n)
		}
	}
	return hi
}

// IntN returns a number in [0, n). It panics if n < 1.
func (r *Rand) IntN(n int) int {
	if n < 1 {
		panic("game: Rand.IntN of less than 1")
	}
	return int(r.UintN(uint64(n)))
}

// Int32N returns a number in [0, n). It panics if n < 1.
func (r *Rand) Int32N(n int32) int32 { return int32(r.IntN(int(n))) }

// Between returns a number in [lo, hi]. It panics if hi < lo.
func (r *Rand) Between(lo, hi int) int { return lo + r.IntN(hi-lo+1) }

// Float64 returns a number in [0, 1).
func (r *Rand) Float64() float64 { return float64(r.pcg.Uint64()>>11) / (1 << 53) }

// Shuffle puts n things into a random order by swapping pairs.
func (r *Rand) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, r.IntN(i+1))
	}
}

// MarshalBinary saves the state.
func (r *Rand) MarshalBinary() ([]byte, error) { return r.pcg.MarshalBinary() }

// UnmarshalBinary restores a saved state.
func (r *Rand) UnmarshalBinary(b []byte) error { return r.pcg.UnmarshalBinary(b) }

// mix64 spreads the bits of x over the whole word (the finalizer of splitmix64): neighbouring numbers come out
// far apart.
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
