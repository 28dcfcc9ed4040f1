package arena

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

const (
	fieldWidth  = 1600 * Unit
	fieldHeight = 1000 * Unit
)

// fly moves a body for so many ms at a rate and returns the hardest impact.
func fly(rate, ms int, b *Body, in Input, walls ...Rect) (impact int32) {
	c := NewConfig(rate)
	for range ticks(ms, rate) {
		impact = max(impact, c.Move(b, in, walls, fieldWidth, fieldHeight))
	}
	return impact
}

func speed(b *Body) int32 { return length(b.VX, b.VY) / Unit }

// The same stories hold at any tick rate.
func TestMovement(t *testing.T) {
	right := Input{AX: 127}
	wall := Rect{900 * Unit, 300 * Unit, 100 * Unit, 400 * Unit}
	for _, rate := range []int{10, 20, 60, 120} {
		for _, story := range []struct {
			name string
			tell func(b *Body) string // what is wrong, or ""
		}{
			{"full stick reaches the cap and keeps it", func(b *Body) string {
				fly(rate, 1500, b, right)
				return within(speed(b), SpeedCap-1, SpeedCap)
			}},
			{"half a stick is slower than the cap", func(b *Body) string {
				fly(rate, 2000, b, Input{AX: 50})
				return within(speed(b), 180, 240)
			}},
			{"a diagonal stick is no faster", func(b *Body) string {
				fly(rate, 600, b, Input{AX: 90, AY: 90})
				straight := Body{X: b.X, Y: b.Y}
				straight.X, straight.Y = 500*Unit, 500*Unit
				fly(rate, 600, &straight, right)
				return within(speed(b)-speed(&straight), -6, 6)
			}},
			{"without thrust it drifts, and comes to rest", func(b *Body) string {
				fly(rate, 1000, b, right)
				at := b.X
				fly(rate, 300, b, Input{})
				if b.X < at+60*Unit {
					return fmt.Sprintf("it drifted %d units", (b.X-at)/Unit)
				}
				fly(rate, 10_000, b, Input{})
				at = b.X
				fly(rate, 1000, b, Input{})
				return within(b.X-at, 0, 0)
			}},
			{"overdrive is faster while it lasts", func(b *Body) string {
				b.Overdrive = ticks(1200, rate)
				fly(rate, 1100, b, right)
				if s := within(speed(b), SpeedCap*OverdriveCap/100-2, SpeedCap*OverdriveCap/100); s != "" {
					return s
				}
				fly(rate, 900, b, right)
				return within(speed(b), SpeedCap-1, SpeedCap)
			}},
			{"a dash goes along the stick, ends, and is not ready at once", func(b *Body) string {
				fly(rate, 100, b, Input{AX: 10, AY: -127, Buttons: ButtonDash})
				if s := within(speed(b), DashSpeed-2, DashSpeed); s != "" || b.VY > -800*Unit {
					return s + fmt.Sprint(" vy ", b.VY/Unit)
				}
				fly(rate, 700, b, Input{AY: -127, Buttons: ButtonDash})
				if s := within(speed(b), SpeedCap-1, SpeedCap); s != "" {
					return s
				}
				return within(b.Dash, 1, NewConfig(rate).Cooldown)
			}},
			{"a dash with the stick centred goes along the aim", func(b *Body) string {
				fly(rate, 100, b, Input{Aim: 1 << 15, Buttons: ButtonDash})
				return within(b.VX/Unit, -DashSpeed, -DashSpeed+1)
			}},
			{"a held dash comes again after its cooldown", func(b *Body) string {
				b.X = 300 * Unit
				fly(rate, 1400, b, Input{AY: 0, AX: 1, Buttons: ButtonDash})
				slow := speed(b)
				fly(rate, 200, b, Input{AX: 1, Buttons: ButtonDash})
				return within(speed(b)-slow, 400, 2*DashSpeed)
			}},
			{"a fast ship bounces off a wall a little", func(b *Body) string {
				*b = Body{X: 840 * Unit, Y: 500 * Unit, VX: 300 * Unit}
				impact := fly(rate, 250, b, Input{}, wall)
				if b.VX >= 0 || impact < 200*Unit {
					return fmt.Sprintf("vx %d, impact %d", b.VX/Unit, impact/Unit)
				}
				return within(-b.VX*100/impact, 20, BouncePercent)
			}},
			{"a ship slides along a wall", func(b *Body) string {
				*b = Body{X: 880 * Unit, Y: 400 * Unit}
				fly(rate, 800, b, Input{AX: 90, AY: 90}, wall)
				if s := within(b.X, wall.X-radius-2, wall.X-radius); s != "" {
					return s
				}
				return within(b.VY/Unit, 200, SpeedCap)
			}},
			{"a dash does not get through a thin wall", func(b *Body) string {
				*b = Body{X: 870 * Unit, Y: 500 * Unit}
				fly(rate, 150, b, Input{AX: 127, Buttons: ButtonDash}, Rect{900 * Unit, 300 * Unit, 20 * Unit, 400 * Unit})
				return within(b.X/Unit, 0, 900-ShipRadius)
			}},
			{"the bounds hold a dash", func(b *Body) string {
				*b = Body{X: fieldWidth - 40*Unit, Y: 30 * Unit}
				fly(rate, 400, b, Input{AX: 127, AY: -127, Buttons: ButtonDash})
				return within(b.X, fieldWidth-200*Unit, fieldWidth-radius) + within(b.Y, radius, 200*Unit)
			}},
			{"a ship within a wall comes out of the nearest side", func(b *Body) string {
				*b = Body{X: 910 * Unit, Y: 500 * Unit}
				fly(rate, 20, b, Input{}, wall)
				return within(b.X, wall.X-radius, wall.X-radius)
			}},
		} {
			t.Run(fmt.Sprintf("%s at %d Hz", story.name, rate), func(t *testing.T) {
				b := Body{X: 500 * Unit, Y: 500 * Unit}
				if fault := story.tell(&b); fault != "" {
					t.Error(fault)
				}
			})
		}
	}
}

// within is "" if v lies in [low, high], else says so.
func within(v, low, high int32) string {
	if v < low || v > high {
		return fmt.Sprintf("%d is not in %d to %d", v, low, high)
	}
	return ""
}

// The walls of a ship's cell move it exactly as all walls do.
func TestNearWallsSuffice(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		rate := []int{10, 30, 60, 120}[seed%4]
		h := newSimOf(16, rate, seed)
		at := h.ground.Spawns[0]
		near, all := Body{X: at.X, Y: at.Y}, Body{X: at.X, Y: at.Y}
		in := Input{}
		for step := range 4000 {
			if step%(rate/3) == 0 {
				in = Input{AX: int8(r.IntN(255) - 127), AY: int8(r.IntN(255) - 127), Aim: uint16(r.IntN(fullTurn)),
					Buttons: uint8(r.IntN(8))}
			}
			a := h.tune.Move(&near, in, h.grid.near(near.X, near.Y), h.ground.Width, h.ground.Height)
			b := h.tune.Move(&all, in, h.ground.Walls, h.ground.Width, h.ground.Height)
			if near != all || a != b {
				t.Fatalf("seed %d, step %d: %+v, with all walls %+v", seed, step, near, all)
			}
			if r.IntN(200) == 0 {
				near.push(int32(r.IntN(900)-450)*Unit, int32(r.IntN(900)-450)*Unit)
				all = near
			}
		}
	}
}
