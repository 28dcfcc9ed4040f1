package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// parser is a value that reads itself from a scalar.
type parser interface{ parse(text string) error }

// sheet reads one YAML document strictly into a struct whose fields carry yaml tags: a key that nobody knows, a
// key given twice and a value of the wrong kind are faults, each told with its line and what would be right.
type sheet struct {
	name   string
	faults []error
}

// readSheet fills into, a pointer to a struct. All faults are told at once.
func readSheet(name string, text []byte, into any) error {
	s := &sheet{name: name}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return fmt.Errorf("%s: it is empty", name)
	}
	s.value(doc.Content[0], reflect.ValueOf(into).Elem(), "a scenario")
	return errors.Join(s.faults...)
}

func (s *sheet) fault(n *yaml.Node, format string, args ...any) {
	if len(s.faults) < maxFaults {
		s.faults = append(s.faults, fmt.Errorf("%s:%d: %s", s.name, n.Line, fmt.Sprintf(format, args...)))
	}
}

// value fills v; where names the place for people.
func (s *sheet) value(n *yaml.Node, v reflect.Value, where string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if p, ok := v.Addr().Interface().(parser); ok {
		if text, ok := s.scalar(n, where); ok {
			if err := p.parse(text); err != nil {
				s.fault(n, "%s: %v", where, err)
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		s.value(n, v.Elem(), where)
	case reflect.Struct:
		s.mapping(n, v, where)
	case reflect.Slice:
		s.list(n, v, where)
	default:
		if text, ok := s.scalar(n, where); ok {
			if err := plain(text, v); err != nil {
				s.fault(n, "%s: %v", where, err)
			}
		}
	}
}

func (s *sheet) scalar(n *yaml.Node, where string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		s.fault(n, "%s takes one value", where)
		return "", false
	}
	return n.Value, true
}

// plain reads a value of Go's own kinds.
func plain(text string, v reflect.Value) error {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a duration such as 10s or 250ms", cut(text, 32))
		}
		v.SetInt(int64(d))
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", cut(text, 32))
		}
		v.SetBool(text == "true")
	case reflect.Int:
		i, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", cut(text, 32))
		}
		v.SetInt(i)
	case reflect.Uint64:
		i, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number from 0 up", cut(text, 32))
		}
		v.SetUint(i)
	}
	return nil
}

func (s *sheet) list(n *yaml.Node, v reflect.Value, where string) {
	if n.Kind != yaml.SequenceNode {
		s.fault(n, "%s is a list: begin each entry with a dash", where)
		return
	}
	for _, entry := range n.Content {
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		s.value(entry, v.Index(v.Len()-1), where)
	}
}

func (s *sheet) mapping(n *yaml.Node, v reflect.Value, where string) {
	fields := make(map[string]int)
	var names []string
	for i := range v.NumField() {
		if tag := v.Type().Field(i).Tag.Get("yaml"); tag != "" {
			fields[tag] = i
			names = append(names, tag)
		}
	}
	slices.Sort(names)
	if n.Kind != yaml.MappingNode {
		s.fault(n, "%s is a set of keys: %s", where, strings.Join(names, ", "))
		return
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field, known := fields[key.Value]
		switch line := seen[key.Value]; {
		case !known:
			s.fault(key, "unknown key %q in %s%s; there are %s", cut(key.Value, 32), where, meant(key.Value, names), strings.Join(names, ", "))
			continue
		case line != 0:
			s.fault(key, "%s stands in line %d already", key.Value, line)
			continue
		}
		seen[key.Value] = key.Line
		s.value(value, v.Field(field), key.Value)
	}
}

// meant guesses which key a misspelt one stands for.
func meant(key string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := distance(strings.ToLower(key), name); d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (%q?)", best)
}

// distance is how many letters have to change, come or go to make b of a.
func distance(a, b string) int {
	if len(a) > 32 {
		return 32
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
