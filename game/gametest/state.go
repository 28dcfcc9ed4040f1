package gametest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"skirmish/game"
)

// state: the type behind Sim can be saved, and holds on to nothing that a checkpoint cannot bring back.
func (s *suite) state() error {
	x, err := s.newMatch(s.o.Seed, nil)
	if err != nil {
		return err
	}
	w := walker{seen: map[reflect.Type]bool{}}
	t := reflect.TypeOf(x.sim).Elem()
	w.walk(t, t.Name(), true)
	if len(w.faults) > 0 {
		return fmt.Errorf("%s", strings.Join(w.faults, "\n"))
	}
	x.Hash() // panics if msgpack cannot encode it
	return nil
}

// walker visits every type that a Sim is made of.
type walker struct {
	seen   map[reflect.Type]bool
	faults []string
}

var forbidden = []reflect.Type{reflect.TypeFor[game.Player](), reflect.TypeFor[game.Tick](), reflect.TypeFor[game.Frame]()}

// walk looks at type t, found at path. Saved: it is part of what a checkpoint holds.
func (w *walker) walk(t reflect.Type, path string, saved bool) {
	if slices.Contains(forbidden, t) {
		w.faults = append(w.faults, fmt.Sprintf("%s holds a %v: it is valid during a call only, keep the Seat", path, t))
		return
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		w.walk(t.Elem(), path, saved)
	case reflect.Map:
		w.walk(t.Key(), path, saved)
		w.walk(t.Elem(), path, saved)
	case reflect.Struct:
		if w.seen[t] {
			return
		}
		w.seen[t] = true
		for f := range t.Fields() {
			w.walk(f.Type, path+"."+f.Name, saved && isSaved(&f))
		}
	case reflect.Interface, reflect.Func, reflect.Chan:
		if saved {
			w.faults = append(w.faults, fmt.Sprintf("%s is a %v: a checkpoint cannot bring it back", path, t))
		}
	}
}

// isSaved tells whether msgpack takes a field in: exported ones, and those promoted from an embedded struct.
func isSaved(f *reflect.StructField) bool {
	embedded := f.Anonymous && f.Type.Kind() == reflect.Struct
	return (f.IsExported() || embedded) && f.Tag.Get("msgpack") != "-"
}

// difference is the path of the first exported part in which a and b differ, with both values, "" if none does.
func difference(path string, a, b reflect.Value) string {
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return unequal(path, a.IsNil() == b.IsNil(), a, b)
		}
		return difference(path, a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			f := a.Type().Field(i)
			if !isSaved(&f) {
				continue
			}
			if d := difference(path+"."+f.Name, a.Field(i), b.Field(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s has %d elements and %d", strings.TrimPrefix(path, "."), a.Len(), b.Len())
		}
		for i := range a.Len() {
			if d := difference(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Map:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s has %d entries and %d", strings.TrimPrefix(path, "."), a.Len(), b.Len())
		}
		for _, k := range a.MapKeys() {
			other := b.MapIndex(k)
			if !other.IsValid() {
				return fmt.Sprintf("%s[%v] is in one of them", strings.TrimPrefix(path, "."), k)
			}
			if d := difference(fmt.Sprintf("%s[%v]", path, k), a.MapIndex(k), other); d != "" {
				return d
			}
		}
		return ""
	}
	return unequal(path, a.Interface() == b.Interface(), a, b)
}

func unequal(path string, equal bool, a, b reflect.Value) string {
	if equal {
		return ""
	}
	return fmt.Sprintf("%s is %v and %v", strings.TrimPrefix(path, "."), a, b)
}
