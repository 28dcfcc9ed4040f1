package game

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"skirmish/protocol"
)

// tag is a parsed `net:"name,min=,max=,scale=,shift=,interp=linear|angle|step,wrap,pos=x|y"`.
type tag struct {
	name     string
	min, max *float64
	scale    uint32 // 0: not given
	shift    uint8
	hasShift bool
	interp   protocol.Interp
	wrap     bool
	pos      byte // 'x', 'y' or 0
}

func parseTag(s string) (t tag, faults []string) {
	parts := strings.Split(s, ",")
	t.name = parts[0]
	for _, part := range parts[1:] {
		if fault := t.option(strings.TrimSpace(part)); fault != "" {
			faults = append(faults, fault)
		}
	}
	return t, faults
}

// option takes one option in; the answer is a fault or "".
func (t *tag) option(s string) string {
	key, value, _ := strings.Cut(s, "=")
	switch key {
	case "min", "max":
		x, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return s + " is not a number"
		}
		if key == "min" {
			t.min = &x
		} else {
			t.max = &x
		}
	case "scale":
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil || n == 0 {
			return s + " is not an integer of 1 and up"
		}
		t.scale = uint32(n)
	case "shift":
		n, err := strconv.ParseUint(value, 10, 5)
		if err != nil {
			return s + " is not an integer of 0 to 31"
		}
		t.shift, t.hasShift = uint8(n), true
	case "interp":
		switch value {
		case "step":
			t.interp = protocol.InterpStep
		case "linear":
			t.interp = protocol.InterpLinear
		case "angle":
			t.interp = protocol.InterpAngle
		default:
			return s + " is none of linear, angle, step"
		}
	case "pos":
		if value != "x" && value != "y" {
			return s + " is none of pos=x, pos=y"
		}
		t.pos = value[0]
	case "wrap":
		if s != "wrap" {
			return "wrap takes no value"
		}
		t.wrap = true
	default:
		return fmt.Sprintf("unknown option %q", s)
	}
	return ""
}

// compileField turns a struct field into its plan and its layout.
func compileField(sf *reflect.StructField, texts bool) (wire protocol.Field, f field, pos byte, faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	t, faults := parseTag(sf.Tag.Get("net"))
	if t.name == "" {
		t.name = snake(sf.Name)
	}
	if len(t.name) > protocol.MaxFieldNameBytes {
		fault("the name %q is longer than %d bytes", t.name, protocol.MaxFieldNameBytes)
	}
	if !sf.IsExported() {
		fault("it is unexported: export it, or take it out with `net:\"-\"`")
	}
	wire = protocol.Field{Name: t.name, Interp: t.interp, Wrap: t.wrap, Scale: 1}
	f = field{offset: sf.Offset, wrap: t.wrap, interp: t.interp, scale: 1}
	form, lo, hi, ok := formOf(sf.Type)
	f.form = form
	switch {
	case !ok:
		fault("type %v is none of int8 to int32, uint8 to uint32, bool, float32, float64 or, in events, string", sf.Type)
	case form == formText && !texts:
		fault("only events have text fields")
	case form == formText:
		wire.Type = protocol.FieldText
		faults = append(faults, textField(&t, &wire)...)
	case form == formBool:
		wire.Type = protocol.FieldBool
		wire.Max = 1
		if t.min != nil || t.max != nil || t.scale != 0 || t.hasShift || t.wrap || t.interp != protocol.InterpStep {
			fault("a bool takes no options")
		}
	case form == formFloat32 || form == formFloat64:
		faults = append(faults, floatField(&t, &wire)...)
		f.scale = float64(wire.Scale)
	default:
		faults = append(faults, intField(&t, &wire, lo, hi)...)
		f.shift = t.shift
	}
	if t.interp == protocol.InterpAngle && !t.wrap {
		fault("interp=angle needs wrap")
	}
	if t.pos != 0 && (form == formText || form == formBool) {
		fault("a place is a number")
	}
	f.min, f.max = wire.Min, wire.Max
	return wire, f, t.pos, faults
}

// formOf is how a type lies in memory and, for integers, its range.
func formOf(t reflect.Type) (f form, lo, hi float64, ok bool) {
	switch t.Kind() {
	case reflect.Int8:
		return formInt8, math.MinInt8, math.MaxInt8, true
	case reflect.Int16:
		return formInt16, math.MinInt16, math.MaxInt16, true
	case reflect.Int32:
		return formInt32, math.MinInt32, math.MaxInt32, true
	case reflect.Uint8:
		return formUint8, 0, math.MaxUint8, true
	case reflect.Uint16:
		return formUint16, 0, math.MaxUint16, true
	case reflect.Uint32:
		return formUint32, 0, math.MaxUint32, true
	case reflect.Bool:
		return formBool, 0, 1, true
	case reflect.Float32:
		return formFloat32, 0, 0, true
	case reflect.Float64:
		return formFloat64, 0, 0, true
	case reflect.String:
		return formText, 0, 0, true
	}
	return 0, 0, 0, false
}

func textField(t *tag, wire *protocol.Field) (faults []string) {
	wire.Max = protocol.MaxTextBytes
	if t.max != nil {
		if *t.max < 1 || *t.max > protocol.MaxTextBytes || *t.max != math.Trunc(*t.max) {
			return []string{fmt.Sprintf("max of a text is 1 to %d bytes", protocol.MaxTextBytes)}
		}
		wire.Max = int32(*t.max)
	}
	if t.min != nil || t.scale != 0 || t.hasShift || t.wrap || t.interp != protocol.InterpStep {
		faults = append(faults, "a text takes no option but max")
	}
	return faults
}

// intField settles an integer whose type holds lo to hi. On the wire it is the value shifted right, so the
// plan's scale is shifted as well.
func intField(t *tag, wire *protocol.Field, lo, hi float64) (faults []string) {
	for _, bound := range []*float64{t.min, t.max} {
		if bound != nil && (*bound < lo || *bound > hi || *bound != math.Trunc(*bound)) {
			faults = append(faults, fmt.Sprintf("%v is not a value of its type", *bound))
		}
	}
	if len(faults) > 0 {
		return faults
	}
	if t.min != nil {
		lo = *t.min
	}
	if t.max != nil {
		hi = *t.max
	}
	if lo > hi {
		return []string{fmt.Sprintf("min %v is greater than max %v", lo, hi)}
	}
	least, most := int64(lo)>>t.shift, int64(hi)>>t.shift
	if most > math.MaxInt32 {
		return []string{"its range does not fit the wire's 32 bits: give max= or shift="}
	}
	wire.Min, wire.Max = int32(least), int32(most)
	if t.scale != 0 {
		if t.scale>>t.shift<<t.shift != t.scale {
			faults = append(faults, fmt.Sprintf("scale %d is not a multiple of 1<<shift, %d", t.scale, 1<<t.shift))
		}
		wire.Scale = max(t.scale>>t.shift, 1)
	}
	return faults
}

// floatField settles a float: on the wire it is round(value × scale).
func floatField(t *tag, wire *protocol.Field) (faults []string) {
	if t.hasShift {
		faults = append(faults, "a float takes no shift")
	}
	wire.Scale = max(t.scale, 1)
	if (t.min == nil) != (t.max == nil) || t.wrap && t.min == nil {
		return append(faults, "a float takes both min and max, or neither of them and no wrap")
	}
	wire.Min, wire.Max = math.MinInt32, math.MaxInt32
	if t.min == nil {
		return faults
	}
	lo, hi := math.Round(*t.min*float64(wire.Scale)), math.Round(*t.max*float64(wire.Scale))
	switch {
	case lo > hi:
		faults = append(faults, fmt.Sprintf("min %v is greater than max %v", *t.min, *t.max))
	case lo < math.MinInt32 || hi > math.MaxInt32:
		faults = append(faults, "its range times scale does not fit the wire's 32 bits")
	default:
		wire.Min, wire.Max = int32(lo), int32(hi)
	}
	return faults
}
