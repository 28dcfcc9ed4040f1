package game

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Registry holds the games of a node by name. It does not change and is safe from any goroutine.
type Registry struct{ byName map[string]*Definition }

// NewRegistry compiles the games. The error tells every fault of every game.
func NewRegistry(games ...Game) (*Registry, error) {
	r := &Registry{byName: make(map[string]*Definition, len(games))}
	var faults []error
	for _, g := range games {
		d, err := Compile(g)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if _, twice := r.byName[d.Spec.Name]; twice {
			faults = append(faults, fmt.Errorf("game %q: registered twice", d.Spec.Name))
			continue
		}
		r.byName[d.Spec.Name] = d
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return r, nil
}

// Lookup finds a game by its name.
func (r *Registry) Lookup(name string) (*Definition, bool) {
	d, ok := r.byName[name]
	return d, ok
}

// Names are the names of all games, sorted.
func (r *Registry) Names() []string { return slices.Sorted(maps.Keys(r.byName)) }
