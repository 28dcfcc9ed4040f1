package game

import "skirmish/protocol"

// idBytes is what the budget counts for an idΔ and the mask of a new row.
const idBytes = 2

// choose leaves out what the budget has no room for: the smallest claims, from the first on that does not fit. The
// greatest one goes out however large it is, so all have their turn.
func (g *gather) choose() {
	budget := g.interest.Budget
	if budget == 0 {
		return
	}
	total := 0
	for i := range g.picks {
		total += int(g.picks[i].chunk.size) + idBytes
	}
	if total <= budget {
		return
	}
	g.order = g.order[:0]
	greatest := uint64(0)
	for i := range g.picks {
		p := &g.picks[i]
		p.left = true
		n := &g.next[p.at]
		n.wait = min(n.wait+uint32(g.weights[g.rowOf[p.at]]), 1<<31)
		c := claim(n.wait, i, int(p.chunk.size)+idBytes)
		greatest = max(greatest, c)
		g.order = append(g.order, c)
	}
	g.picks[claimed(greatest)].left = false
	g.admit(g.order, budget)
}

// claim packs what choosing needs into a number whose order is that of the claims.
func claim(wait uint32, pick, size int) uint64 {
	return uint64(wait)<<32 | uint64(protocol.MaxRows-1-pick)<<16 | uint64(size)
}

func claimed(claim uint64) (pick int) { return protocol.MaxRows - 1 - int(claim>>16&0xffff) }

// admit lets the greatest claims in until one does not fit: a quicksort of which only the halves are sorted that
// the room ends in.
func (g *gather) admit(claims []uint64, room int) {
	for len(claims) > 0 {
		last := len(claims) - 1
		pivot := claims[last/2]
		claims[last/2] = claims[last]
		n, size := 0, 0
		for i, c := range claims[:last] {
			if c > pivot {
				claims[i], claims[n] = claims[n], c
				size += int(c & 0xffff)
				n++
			}
		}
		if size > room {
			claims = claims[:n]
			continue
		}
		for _, c := range claims[:n] {
			g.picks[claimed(c)].left = false
		}
		if room -= size + int(pivot&0xffff); room < 0 {
			return
		}
		g.picks[claimed(pivot)].left = false
		claims[last] = claims[n] // n is where the pivot would stand
		claims = claims[n+1:]
	}
}
