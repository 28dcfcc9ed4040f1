package game

import (
	"math"
	"reflect"
	"unicode/utf8"
	"unsafe"

	"skirmish/protocol"
)

// layout is a tagged struct made ready: where each field lies and how it becomes a wire value.
//
// Rows are read and inputs written by offset instead of by reflection: half the time of even a hand-written walk
// by reflect, and no garbage (BenchmarkStore). It is safe because a layout only ever meets pointers of its own
// type (must, kindOf) and holds offsets that reflect computed for that very type.
type layout struct {
	typ     reflect.Type // the struct
	ptrWord uintptr      // the type word of a pointer to it in an interface
	fields  []field
	kind    *protocol.Kind // as in the plan
	x, y    int            // the fields that say where a row is, −1: none
}

// place notes that the coming field is tagged pos=x or pos=y; the answer is a fault or "".
func (l *layout) place(pos byte) string {
	at := &l.x
	switch pos {
	case 0:
		return ""
	case 'y':
		at = &l.y
	}
	if *at >= 0 {
		return "a second pos=" + string(pos)
	}
	*at = len(l.fields)
	return ""
}

// field is one value of a layout.
type field struct {
	offset   uintptr
	form     form
	shift    uint8
	wrap     bool
	interp   protocol.Interp
	min, max int32   // wire values
	scale    float64 // floats only
}

// form is how a field lies in memory.
type form uint8

const (
	formInt8 form = iota
	formInt16
	formInt32
	formUint8
	formUint16
	formUint32
	formBool
	formFloat32
	formFloat64
	formText
)

// words is an interface value in memory: the runtime's type word and the pointer. The package reads both to
// learn a row's kind and address without reflect.ValueOf, through which every row would escape to the heap.
type words struct {
	typ uintptr
	ptr unsafe.Pointer
}

func typeWord(v any) uintptr { return (*words)(unsafe.Pointer(&v)).typ }

// pointerOf is the pointer in v, which must hold one.
func pointerOf(v any) unsafe.Pointer { return (*words)(unsafe.Pointer(&v)).ptr }

// store writes the wire values of the struct at p, clamped to their ranges, and returns the first field that
// had to be clamped, −1 for none.
func (l *layout) store(dst []int32, p unsafe.Pointer) int {
	bad := -1
	for i := range l.fields {
		f := &l.fields[i]
		v, ok := f.wire(unsafe.Add(p, f.offset))
		if !ok && bad < 0 {
			bad = i
		}
		dst[i] = v
	}
	return bad
}

// wire is the wire value of the field at p and whether it lay within the range.
func (f *field) wire(p unsafe.Pointer) (int32, bool) {
	var v int64
	switch f.form {
	case formInt8:
		v = int64(*(*int8)(p))
	case formInt16:
		v = int64(*(*int16)(p))
	case formInt32:
		v = int64(*(*int32)(p))
	case formUint8:
		v = int64(*(*uint8)(p))
	case formUint16:
		v = int64(*(*uint16)(p))
	case formUint32:
		v = int64(*(*uint32)(p))
	case formBool:
		v = int64(*(*uint8)(p)) // a bool in memory is 0 or 1
	case formFloat32:
		return f.quantise(float64(*(*float32)(p)))
	case formFloat64:
		return f.quantise(*(*float64)(p))
	}
	v >>= f.shift & 31
	if v < int64(f.min) || v > int64(f.max) {
		return f.clamp(v)
	}
	return int32(v), true
}

// quantise rounds half away from zero. NaN becomes the value of the range nearest to 0.
func (f *field) quantise(x float64) (int32, bool) {
	x = math.Round(x * f.scale)
	if x != x {
		v, _ := f.clamp(0)
		return v, false
	}
	// An int64 holds neither infinities nor 1e300: such values meet the range first.
	if math.Abs(x) > 1<<52 {
		if x < 0 {
			return f.min, false
		}
		return f.max, false
	}
	return f.clamp(int64(x))
}

func (f *field) clamp(v int64) (int32, bool) {
	lo, hi := int64(f.min), int64(f.max)
	if v >= lo && v <= hi {
		return int32(v), true
	}
	if f.wrap {
		span := hi - lo + 1
		if v = (v - lo) % span; v < 0 {
			v += span
		}
		return int32(v + lo), true
	}
	if v < lo {
		return f.min, false
	}
	return f.max, false
}

// load writes values, which lie in their ranges, into the struct at p.
func (l *layout) load(p unsafe.Pointer, values []int32) {
	for i := range l.fields {
		f := &l.fields[i]
		f.set(unsafe.Add(p, f.offset), values[i])
	}
}

// loadBetween writes the values part/256 of the way from a to b, by the fields' interp, into the struct at p.
func (l *layout) loadBetween(p unsafe.Pointer, a, b []int32, part int64) {
	for i := range l.fields {
		f := &l.fields[i]
		at := unsafe.Add(p, f.offset)
		if a[i] == b[i] || part == 0 || f.interp == protocol.InterpStep {
			f.set(at, a[i])
		} else {
			f.setBetween(at, a[i], b[i], part)
		}
	}
}

// setBetween is set for part/256 of the way from a to b: in an integer's own unit, finer than the wire's where
// the field has a shift, rounded half up.
func (f *field) setBetween(p unsafe.Pointer, a, b int32, part int64) {
	d := int64(b) - int64(a)
	lo, span := int64(f.min), int64(f.max)-int64(f.min)+1
	angle := f.interp == protocol.InterpAngle
	if angle {
		switch half := span / 2; {
		case d < -half:
			d += span
		case d >= span-half:
			d -= span
		}
	}
	if f.form >= formFloat32 {
		v := float64(a) + float64(d*part)/256
		switch {
		case angle && v < float64(lo):
			v += float64(span)
		case angle && v >= float64(lo+span):
			v -= float64(span)
		}
		f.setFloat(p, v/f.scale)
		return
	}
	w := int64(a)<<f.shift + (d*part<<f.shift+128)>>8
	switch {
	case angle && w < lo<<f.shift:
		w += span << f.shift
	case angle && w >= (lo+span)<<f.shift:
		w -= span << f.shift
	}
	f.setInt(p, w)
}

func (f *field) set(p unsafe.Pointer, v int32) {
	if f.form >= formFloat32 {
		f.setFloat(p, float64(v)/f.scale)
		return
	}
	f.setInt(p, int64(v)<<f.shift)
}

func (f *field) setFloat(p unsafe.Pointer, x float64) {
	if f.form == formFloat32 {
		*(*float32)(p) = float32(x)
	} else {
		*(*float64)(p) = x
	}
}

func (f *field) setInt(p unsafe.Pointer, w int64) {
	switch f.form {
	case formInt8:
		*(*int8)(p) = int8(w)
	case formInt16:
		*(*int16)(p) = int16(w)
	case formInt32:
		*(*int32)(p) = int32(w)
	case formUint8:
		*(*uint8)(p) = uint8(w)
	case formUint16:
		*(*uint16)(p) = uint16(w)
	case formUint32:
		*(*uint32)(p) = uint32(w)
	case formBool:
		*(*bool)(p) = w != 0
	}
}

// check returns the first value that is out of its field's range, −1 for none.
func (l *layout) check(values []int32) int {
	for i := range l.fields {
		if f := &l.fields[i]; values[i] < f.min || values[i] > f.max {
			return i
		}
	}
	return -1
}

// appendEvent appends the values of the event at p, texts cut to their limit, and returns the first field that
// had to be clamped, −1 for none.
func (l *layout) appendEvent(dst []protocol.Value, p unsafe.Pointer) ([]protocol.Value, int) {
	bad := -1
	for i := range l.fields {
		f := &l.fields[i]
		at := unsafe.Add(p, f.offset)
		ok := true
		var v protocol.Value
		if f.form == formText {
			v.Text, ok = cutText(*(*string)(at), int(f.max))
		} else {
			v.Int, ok = f.wire(at)
		}
		if !ok && bad < 0 {
			bad = i
		}
		dst = append(dst, v)
	}
	return dst, bad
}

func (l *layout) loadEvent(p unsafe.Pointer, values []protocol.Value) {
	for i := range l.fields {
		f := &l.fields[i]
		at := unsafe.Add(p, f.offset)
		if f.form == formText {
			*(*string)(at) = values[i].Text
		} else {
			f.set(at, values[i].Int)
		}
	}
}

// cutText cuts s to at most n bytes of valid UTF-8 and tells whether it could stay as it is.
func cutText(s string, n int) (string, bool) {
	if len(s) <= n && utf8.ValidString(s) {
		return s, true
	}
	end := 0
	for i, r := range s {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			if _, width := utf8.DecodeRuneInString(s[i:]); width == 1 {
				break // a stray byte: what stands before it is kept
			}
		}
		if i+size > n {
			break
		}
		end = i + size
	}
	return s[:end], false
}
