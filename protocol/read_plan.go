package protocol

// plan reads the plan of a welcome, nil if it is bad.
func (c *cursor) plan() *Plan {
	extra := c.tuple("plan", 4)
	p := &Plan{Kinds: c.kinds("kinds", MaxKinds, false)}
	p.Input = c.kind("input", false)
	if !c.null() {
		private := c.kind("private", false)
		p.Private = &private
	}
	p.Events = c.kinds("events", MaxEventKinds, true)
	c.skip(extra)
	if !c.ok() {
		return nil
	}
	return p
}

func (c *cursor) kinds(field string, max int, event bool) []Kind {
	var kinds []Kind
	for n := c.list(field, max); n > 0 && c.ok(); n-- {
		kinds = append(kinds, c.kind(field, event))
	}
	return kinds
}

func (c *cursor) kind(field string, event bool) Kind {
	extra := c.tuple(field, 2)
	k := Kind{Name: c.name(field)}
	for n := c.list(field, MaxFields); n > 0 && c.ok(); n-- {
		k.Fields = append(k.Fields, c.field(field, event))
	}
	c.skip(extra)
	return k
}

func (c *cursor) field(of string, event bool) Field {
	extra := c.tuple(of, 7)
	f := Field{
		Name:   c.name(of),
		Type:   FieldType(c.uint(of, int64(FieldText))),
		Min:    int32(c.int(of, minInt32, maxInt32)),
		Max:    int32(c.int(of, minInt32, maxInt32)),
		Scale:  uint32(c.int(of, 1, 0xffffffff)),
		Interp: Interp(c.uint(of, int64(InterpAngle))),
		Wrap:   c.bool(of),
	}
	c.skip(extra)
	if c.ok() {
		if why := f.fault(event); why != "" {
			c.fail(of, why)
		}
	}
	return f
}

func (c *cursor) name(field string) string {
	s := c.str(field, MaxFieldNameBytes)
	if c.ok() && s == "" {
		c.fail(field, "without a name")
	}
	return s
}

// fault tells what is wrong with a field, "" if nothing is. Text has its place in events only.
func (f *Field) fault(event bool) string {
	switch {
	case f.Min > f.Max:
		return "min is above max"
	case f.Type == FieldBool && (f.Min < 0 || f.Max > 1):
		return "a bool beyond 0 and 1"
	case f.Type == FieldText && !event:
		return "text outside of an event"
	case f.Type == FieldText && (f.Min < 0 || f.Max > MaxTextBytes || f.Wrap):
		return "text beyond its limits"
	}
	return ""
}

const (
	minInt32 = -1 << 31
	maxInt32 = 1<<31 - 1
)
