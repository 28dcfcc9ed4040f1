package game

import (
	"reflect"
	"unsafe"
)

// weightSteps bounds how many values Weight looks at: some 50 ms of work. What lies beyond is not weighed.
const weightSteps = 1 << 20

// Weight is how many bytes of memory the simulation holds: all that can be reached from the Sim through pointers, slices,
// strings, maps, channels and interfaces, exported or not, each once. Go does not say which goroutine holds what, so this is
// how a host finds the match that eats its memory. It is a lower bound: what functions have captured is not seen, nor the
// inside of more than a million values, of which the lists themselves are counted first. It takes time with the number of
// pointers, not of bytes.
func (e *Engine) Weight() int64 {
	s := scale{seen: map[unsafe.Pointer]struct{}{}, deep: map[reflect.Type]bool{}}
	s.put(reflect.ValueOf(e.sim))
	for len(s.todo) > 0 && s.steps < weightSteps {
		last := len(s.todo) - 1
		v := s.todo[last]
		s.todo = s.todo[:last]
		s.open(v)
	}
	return s.bytes
}

// scale walks a value without recursion: a list of a million links is no deeper than another.
type scale struct {
	bytes int64
	steps int
	todo  []reflect.Value
	seen  map[unsafe.Pointer]struct{} // what pointers point to
	deep  map[reflect.Type]bool       // whether values of the type lead anywhere
}

// put notes a value that may lead somewhere; its own bytes are counted by whatever holds it.
func (s *scale) put(v reflect.Value) {
	if s.leads(v.Type()) && s.steps+len(s.todo) < weightSteps {
		s.todo = append(s.todo, v)
	}
}

// first tells whether p is seen for the first time.
func (s *scale) first(p unsafe.Pointer) bool {
	if p == nil {
		return false
	}
	_, there := s.seen[p]
	if !there {
		s.seen[p] = struct{}{}
	}
	return !there
}

// open counts what v points to and puts what is in there.
func (s *scale) open(v reflect.Value) {
	s.steps++
	switch v.Kind() {
	case reflect.Pointer:
		if s.first(v.UnsafePointer()) {
			s.bytes += int64(v.Type().Elem().Size())
			s.put(v.Elem())
		}
	case reflect.Interface:
		if in := v.Elem(); in.IsValid() {
			if in.Kind() != reflect.Pointer {
				s.bytes += int64(in.Type().Size())
			}
			s.put(in)
		}
	case reflect.String:
		if p := unsafe.Pointer(unsafe.StringData(v.String())); v.Len() > 0 && s.first(p) {
			s.bytes += int64(v.Len())
		}
	case reflect.Slice:
		if v.Cap() > 0 && s.first(v.UnsafePointer()) {
			s.bytes += int64(v.Cap()) * int64(v.Type().Elem().Size())
			s.elements(v)
		}
	case reflect.Array:
		s.elements(v)
	case reflect.Map:
		if s.first(v.UnsafePointer()) {
			key, elem := v.Type().Key(), v.Type().Elem()
			s.bytes += int64(v.Len()) * int64(key.Size()+elem.Size()+1) // a byte of control for each
			if s.leads(key) || s.leads(elem) {
				for it := v.MapRange(); it.Next() && s.steps+len(s.todo) < weightSteps; {
					s.put(it.Key())
					s.put(it.Value())
				}
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			s.put(v.Field(i))
		}
	case reflect.Chan:
		if s.first(v.UnsafePointer()) {
			s.bytes += int64(v.Cap()) * int64(v.Type().Elem().Size())
		}
	}
}

func (s *scale) elements(v reflect.Value) {
	if !s.leads(v.Type().Elem()) {
		return
	}
	for i := 0; i < v.Len() && s.steps+len(s.todo) < weightSteps; i++ {
		s.put(v.Index(i))
	}
}

// leads tells whether a value of the type can lead to more memory.
func (s *scale) leads(t reflect.Type) bool {
	deep, known := s.deep[t]
	if known {
		return deep
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.String, reflect.Slice, reflect.Map, reflect.Chan:
		deep = true
	case reflect.Array:
		deep = t.Len() > 0 && s.leads(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			deep = deep || s.leads(t.Field(i).Type)
		}
	}
	s.deep[t] = deep
	return deep
}
