package game

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"skirmish/protocol"
)

// Compile makes a game ready. The error tells every fault at once, each with the game, the kind and the field.
func Compile(g Game) (*Definition, error) {
	c := compiler{}
	d := c.compile(g)
	if len(c.faults) > 0 {
		return nil, errors.Join(c.faults...)
	}
	return d, nil
}

// compiler gathers the faults of one game.
type compiler struct {
	game   string
	scale  uint32 // of the fields that say where a row is, 0: none so far
	faults []error
}

func (c *compiler) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("game %q: %s", c.game, fmt.Sprintf(format, args...)))
}

func (c *compiler) compile(g Game) *Definition {
	if g == nil {
		c.fault("the game is nil")
		return nil
	}
	d := &Definition{Game: g, Spec: g.Spec(), Plan: new(protocol.Plan)}
	if d.Spec.DefaultPlayers == 0 {
		d.Spec.DefaultPlayers = d.Spec.MaxPlayers
	}
	c.game = d.Spec.Name
	c.spec(&d.Spec)
	c.quickPlay(g, &d.Spec)

	d.input = c.layout("input", d.Spec.Input, protocol.MaxInputFields, false)
	d.input.kind.Name = "input"
	d.kinds = c.layouts("kind", d.Spec.Kinds, protocol.MaxKinds, false)
	d.events = c.layouts("event", d.Spec.Events, protocol.MaxEventKinds, true)
	if d.Spec.Private != nil {
		l := c.layout("private", d.Spec.Private, protocol.MaxFields, false)
		d.private = &l
	}
	c.rewind(d)
	c.interest(d)
	if len(c.faults) > 0 {
		return nil
	}
	d.plan()
	return d
}

// plan puts the wire's plan together from the layouts and lets these point into it.
func (d *Definition) plan() {
	d.Plan.Input = *d.input.kind
	d.Plan.Kinds = takeKinds(d.kinds)
	d.Plan.Events = takeKinds(d.events)
	if d.private != nil {
		d.Plan.Private = d.private.kind
	}
	d.PlanHash = d.Plan.Hash()
}

func takeKinds(layouts []layout) []protocol.Kind {
	kinds := make([]protocol.Kind, len(layouts))
	for i := range layouts {
		kinds[i] = *layouts[i].kind
		layouts[i].kind = &kinds[i]
	}
	return kinds
}

// spec checks what is not a struct.
func (c *compiler) spec(s *Spec) {
	if !validName(s.Name) {
		c.fault("name: must be 1 to %d lower case letters, digits or '-'", maxNameBytes)
	}
	if s.Version == "" || len(s.Version) > maxNameBytes {
		c.fault("version: must be 1 to %d bytes", maxNameBytes)
	}
	if s.TickRate < MinTickRate || s.TickRate > MaxTickRate {
		c.fault("tick rate: %d Hz is not in %d to %d", s.TickRate, MinTickRate, MaxTickRate)
	}
	if s.SnapshotRate < 1 || s.TickRate%max(s.SnapshotRate, 1) != 0 {
		c.fault("snapshot rate: %d Hz does not divide the tick rate, %d Hz", s.SnapshotRate, s.TickRate)
	}
	if s.MaxPlayers < 1 || s.MaxPlayers > maxMatchPlayers {
		c.fault("max players: %d is not in 1 to %d", s.MaxPlayers, maxMatchPlayers)
	}
	if s.DefaultPlayers < 1 || s.DefaultPlayers > s.MaxPlayers {
		c.fault("default players: %d is not in 1 to max players, %d", s.DefaultPlayers, s.MaxPlayers)
	}
	if s.Idle > IdleNeutral {
		c.fault("idle: %d is neither IdleRepeat nor IdleNeutral", s.Idle)
	}
}

// quickPlay leaves at least one seat to the newcomer.
func (c *compiler) quickPlay(g Game, s *Spec) {
	bots := s.QuickPlay.Bots
	if _, ok := g.(Botter); bots > 0 && !ok {
		c.fault("quick play: %d bots, but the game is no Botter", bots)
	}
	if bots < 0 || bots > 0 && bots >= s.DefaultPlayers {
		c.fault("quick play: %d bots leave no seat of %d", bots, s.DefaultPlayers)
	}
}

// rewind settles which kinds keep their past.
func (c *compiler) rewind(d *Definition) {
	for i, v := range d.Spec.Rewind {
		t := reflect.TypeOf(v)
		if t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		k := slices.IndexFunc(d.kinds, func(l layout) bool { return l.typ == t && t != nil })
		if k < 0 {
			c.fault("rewind %d: %v is none of the kinds", i, t)
			continue
		}
		d.rewind |= 1 << k
	}
}

func (c *compiler) layouts(what string, structs []any, most int, texts bool) []layout {
	if len(structs) > most {
		c.fault("%ss: %d are more than %d", what, len(structs), most)
		return nil
	}
	all := make([]layout, 0, len(structs))
	names := make(map[string]bool, len(structs))
	for i, v := range structs {
		l := c.layout(fmt.Sprintf("%s %d", what, i), v, protocol.MaxFields, texts)
		if l.typ != nil && names[l.kind.Name] {
			c.fault("%s %d: a second %q", what, i, l.kind.Name)
		}
		names[l.kind.Name] = true
		all = append(all, l)
	}
	return all
}

// layout compiles one struct, given as a value or as a pointer to one.
func (c *compiler) layout(what string, v any, most int, texts bool) layout {
	l := layout{kind: new(protocol.Kind), x: -1, y: -1}
	t := reflect.TypeOf(v)
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		c.fault("%s: a struct is expected, not %v", what, t)
		return l
	}
	l.typ = t
	l.ptrWord = typeWord(reflect.New(t).Interface())
	l.kind.Name = kindName(t.Name())
	if l.kind.Name == "" || len(l.kind.Name) > protocol.MaxFieldNameBytes {
		c.fault("%s: the name of type %v does not make a name of 1 to %d bytes", what, t, protocol.MaxFieldNameBytes)
	}
	what, _, _ = strings.Cut(what, " ")
	what += " " + l.kind.Name
	names := make(map[string]bool)
	for sf := range t.Fields() {
		if sf.Tag.Get("net") == "-" {
			continue
		}
		wire, f, pos, faults := compileField(&sf, texts)
		for _, fault := range faults {
			c.fault("%s, field %s: %s", what, sf.Name, fault)
		}
		if names[wire.Name] {
			c.fault("%s, field %s: a second %q", what, sf.Name, wire.Name)
		}
		names[wire.Name] = true
		if fault := l.place(pos); fault != "" {
			c.fault("%s, field %s: %s", what, sf.Name, fault)
		}
		l.kind.Fields = append(l.kind.Fields, wire)
		l.fields = append(l.fields, f)
	}
	switch n := len(l.fields); {
	case n == 0 && !texts:
		c.fault("%s: no fields", what)
	case n > most:
		c.fault("%s: %d fields are more than %d", what, n, most)
	}
	return l
}

// kindName is a type's name on the wire: KillEvent and Kill are "kill", ShipRow is "ship".
func kindName(typ string) string {
	for _, suffix := range []string{"Row", "Event"} {
		if s, ok := strings.CutSuffix(typ, suffix); ok && s != "" {
			typ = s
		}
	}
	return snake(typ)
}

// snake turns ScoreLimit into score_limit and HP into hp.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 {
			if unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]) ||
				i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func validName(s string) bool {
	if s == "" || len(s) > maxNameBytes {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return true
}
