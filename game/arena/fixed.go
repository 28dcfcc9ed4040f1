package arena

import "math/bits"

// Integer arithmetic of the arena. Two rules make it the same on every machine and in JavaScript:
// a >> n is the arithmetic shift, which rounds towards minus infinity (in JavaScript Math.floor(a / 2**n), since
// its own >> cuts at 32 bits), and a / b truncates towards zero (Math.trunc(a / b)). Every product stays below
// 2^53, every stored value within int32.

const (
	// Unit is one unit of length in fixed point; a velocity of Unit is one unit per second.
	Unit = 256

	// One is 1.0 as sine and cosine give it.
	One = 1 << 14

	// fullTurn is a whole turn of an aim angle.
	fullTurn = 1 << 16

	// The quarter wave has quarterSteps intervals, refined linearly in between.
	quarterSteps = 256
	stepBits     = 6 // an interval is 64 of the 65,536 angles

	// A turn by one interval (2π/1024) in steps of 2^-24: round(cos × 2^24) and round(sin × 2^24).
	stepCos = 16776900
	stepSin = 102943
)

// quarter is the sine of the first quarter turn at each interval, in steps of 1/One; arc is the angle of the
// slope i/quarterSteps, in aim angles. Both are built from integers alone, so that any port gets the same.
var quarter, arc = buildTables()

func buildTables() (sine [quarterSteps + 1]int32, angle [quarterSteps + 1]int32) {
	const half = 1 << 23
	c, s := int64(1<<24), int64(0)
	for i := range sine {
		sine[i] = int32((s + 1<<9) >> 10) // 2^-24 to 2^-14
		c, s = (c*stepCos-s*stepSin+half)>>24, (s*stepCos+c*stepSin+half)>>24
	}
	sine[quarterSteps] = One
	for i := range angle {
		// The largest angle of the first eighth whose slope does not exceed i/quarterSteps.
		low, high := int32(0), int32(fullTurn/8)
		for low < high {
			mid := (low + high + 1) / 2
			sin, cos := int64(interpolate(&sine, mid)), int64(interpolate(&sine, fullTurn/4-mid))
			if sin*quarterSteps <= cos*int64(i) {
				low = mid
			} else {
				high = mid - 1
			}
		}
		angle[i] = low
	}
	return sine, angle
}

// interpolate is the sine of an angle of the first quarter, 0 to fullTurn/4.
func interpolate(sine *[quarterSteps + 1]int32, a int32) int32 {
	i, rest := a>>stepBits, a&(1<<stepBits-1)
	if rest == 0 {
		return sine[i]
	}
	return sine[i] + ((sine[i+1]-sine[i])*rest+1<<(stepBits-1))>>stepBits
}

// sin is the sine of an aim angle, −One to One.
func sin(a uint16) int32 {
	v := int32(a & (fullTurn/4 - 1))
	switch a >> 14 {
	case 0:
		return interpolate(&quarter, v)
	case 1:
		return interpolate(&quarter, fullTurn/4-v)
	case 2:
		return -interpolate(&quarter, v)
	}
	return -interpolate(&quarter, fullTurn/4-v)
}

// cos is the cosine of an aim angle, −One to One.
func cos(a uint16) int32 { return sin(a + fullTurn/4) }

// angleOf is the aim angle of the vector (x, y), within 0.02 degrees; 0 of the null vector.
func angleOf(x, y int32) uint16 {
	ax, ay := int64(x), int64(y)
	ax, ay = max(ax, -ax), max(ay, -ay)
	if ax|ay == 0 {
		return 0
	}
	small, large := min(ax, ay), max(ax, ay)
	slope := small << 16 / large // 0 to 65,536
	i, rest := slope>>8, slope&255
	a := arc[i]
	if rest != 0 {
		a += int32((int64(arc[i+1]-arc[i])*rest + 128) >> 8)
	}
	if ay > ax {
		a = fullTurn/4 - a
	}
	if x < 0 {
		a = fullTurn/2 - a
	}
	if y < 0 {
		a = -a
	}
	return uint16(a)
}

// isqrt is the square root of n rounded down; n is not negative and below 2^52 (where Math.floor(Math.sqrt(n))
// gives the same).
func isqrt(n int64) int64 {
	if n <= 0 {
		return 0
	}
	// Newton from above: the guess never falls below the root until it is reached.
	x := int64(1) << ((bits.Len64(uint64(n)) + 1) / 2)
	for {
		y := (x + n/x) >> 1
		if y >= x {
			return x
		}
		x = y
	}
}

// length is the length of (x, y), rounded down.
func length(x, y int32) int32 { return int32(isqrt(int64(x)*int64(x) + int64(y)*int64(y))) }
