package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The decoder is stricter than encoding/json and says where: an unknown field, one that is there twice, one in
// another case, a wrong type, a number out of its type's range, invalid UTF-8, a second document. It reads
// into structs, pointers, slices, maps of strings, integers, strings, booleans and json.RawMessage.

// maxListElements bounds a JSON array by the largest one that means something.
const maxListElements = MaxPlayers + MaxSpectators

// decodeValid reads a request and checks it. Errors are those of decode and of its validate.
func decodeValid(body []byte, r interface{ validate() error }) error {
	if err := decode(body, r); err != nil {
		return err
	}
	return r.validate()
}

// decode reads one JSON document into v, a pointer to a struct that holds the defaults. Errors are *Error
// with code bad_request that name the field.
func decode(body []byte, v any) error {
	if !utf8.Valid(body) {
		return NewError(BadRequest, "The body is not valid UTF-8.")
	}
	d := decoder{json.NewDecoder(bytes.NewReader(body))}
	d.UseNumber()
	if err := d.value("", reflect.ValueOf(v).Elem()); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return NewError(BadRequest, "The body must be one JSON document and nothing behind it.")
	}
	return nil
}

type decoder struct{ *json.Decoder }

// token returns the next token. A syntax error is told with its place.
func (d *decoder) token() (json.Token, error) {
	t, err := d.Token()
	if err == nil {
		return t, nil
	}
	return nil, d.syntax(err)
}

func (d *decoder) syntax(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return NewError(BadRequest, "The body must be a JSON document; it ends too early.")
	}
	return NewError(BadRequest, fmt.Sprintf("The body is not valid JSON near byte %d.", d.InputOffset()))
}

var rawMessage = reflect.TypeFor[json.RawMessage]()

// value reads the next value into v. Path is its name so far, empty for the whole body.
func (d *decoder) value(path string, v reflect.Value) error {
	if v.Type() == rawMessage {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return d.syntax(err)
		}
		if string(raw) == "null" { // the same as absent
			raw = nil
		}
		v.SetBytes(raw)
		return nil
	}
	t, err := d.token()
	if err != nil {
		return err
	}
	return d.assign(path, v, t)
}

// assign puts the value that begins with t into v.
func (d *decoder) assign(path string, v reflect.Value, t json.Token) error {
	switch v.Kind() {
	case reflect.Pointer:
		if t == nil {
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return d.assign(path, v.Elem(), t)
	case reflect.Struct:
		if t != json.Delim('{') {
			return wrongType(path, "an object", t)
		}
		return d.fields(path, v)
	case reflect.Map:
		if t != json.Delim('{') {
			return wrongType(path, "an object of strings", t)
		}
		return d.entries(path, v)
	case reflect.Slice:
		if t != json.Delim('[') {
			return wrongType(path, "a list", t)
		}
		return d.elements(path, v)
	case reflect.String:
		s, ok := t.(string)
		if !ok {
			return wrongType(path, "a string", t)
		}
		v.SetString(s)
		return nil
	case reflect.Bool:
		b, ok := t.(bool)
		if !ok {
			return wrongType(path, "true or false", t)
		}
		v.SetBool(b)
		return nil
	}
	return integer(path, v, t)
}

// fields reads the rest of an object into the fields of a struct.
func (d *decoder) fields(path string, v reflect.Value) error {
	var seen uint64 // by field index
	for d.More() {
		key, err := d.token()
		if err != nil {
			return err
		}
		name := key.(string) // the decoder gives nothing else here
		at := join(path, name)
		i := fieldIndex(v.Type(), name)
		if i < 0 {
			return FieldError(BadRequest, at, fmt.Sprintf("Unknown field %s; known here: %s.", shown(at), strings.Join(fieldNames(v.Type()), ", ")))
		}
		if seen&(1<<i) != 0 {
			return twice(at)
		}
		seen |= 1 << i
		if err := d.value(at, v.Field(i)); err != nil {
			return err
		}
	}
	_, err := d.token()
	return err
}

// entries reads the rest of an object into a map of strings.
func (d *decoder) entries(path string, v reflect.Value) error {
	m := make(map[string]string)
	for d.More() {
		key, err := d.token()
		if err != nil {
			return err
		}
		name := key.(string)
		at := join(path, name)
		if _, there := m[name]; there {
			return twice(at)
		}
		t, err := d.token()
		if err != nil {
			return err
		}
		s, ok := t.(string)
		if !ok {
			return wrongType(at, "a string", t)
		}
		m[name] = s
	}
	v.Set(reflect.ValueOf(m))
	_, err := d.token()
	return err
}

// elements reads the rest of an array into a slice.
func (d *decoder) elements(path string, v reflect.Value) error {
	for i := 0; d.More(); i++ {
		at := path + "[" + strconv.Itoa(i) + "]"
		if i >= maxListElements {
			return FieldError(BadRequest, path, fmt.Sprintf("%s has more than %d elements.", path, maxListElements))
		}
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		if err := d.value(at, v.Index(i)); err != nil {
			return err
		}
	}
	_, err := d.token()
	return err
}

// integer takes a number without fraction and exponent that fits into v's type.
func integer(path string, v reflect.Value, t json.Token) error {
	n, ok := t.(json.Number)
	if !ok {
		return wrongType(path, "an integer", t)
	}
	if v.CanUint() {
		u, err := strconv.ParseUint(string(n), 10, v.Type().Bits())
		if err != nil {
			return wrongType(path, "an integer from 0 up that is not too large", t)
		}
		v.SetUint(u)
		return nil
	}
	i, err := strconv.ParseInt(string(n), 10, v.Type().Bits())
	if err != nil {
		return wrongType(path, "an integer that is not too large", t)
	}
	v.SetInt(i)
	return nil
}

func wrongType(path, want string, got json.Token) error {
	what := "null"
	switch g := got.(type) {
	case json.Delim:
		what = map[json.Delim]string{'{': "an object", '[': "a list"}[g]
	case string:
		what = "a string"
	case json.Number:
		what = cut(string(g), 32)
	case bool:
		what = strconv.FormatBool(g)
	}
	if path == "" {
		return NewError(BadRequest, fmt.Sprintf("The body must be %s, not %s.", want, what))
	}
	return FieldError(BadRequest, cut(path, maxShown), fmt.Sprintf("%s must be %s, not %s.", shown(path), want, what))
}

func twice(path string) error {
	return FieldError(BadRequest, cut(path, maxShown), fmt.Sprintf("%s is there twice.", shown(path)))
}

// fieldIndex finds a field by its exact JSON name, −1 if there is none.
func fieldIndex(t reflect.Type, name string) int { return slices.Index(fieldNames(t), name) }

// fieldNames are the JSON names of a struct's fields, in their order.
func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return names
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// maxShown bounds how much of a caller's own text an error repeats.
const maxShown = 96

func shown(path string) string { return strconv.Quote(cut(path, maxShown)) }

// cut shortens s for an error, which says so.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return clip(s, n) + "…"
}
