package client

import "skirmish/protocol"

// KindIndex finds a row kind by its name; rows carry the index.
func KindIndex(p *protocol.Plan, name string) (kind uint8, ok bool) {
	for i := range p.Kinds {
		if p.Kinds[i].Name == name {
			return uint8(i), true
		}
	}
	return 0, false
}

// FieldIndex finds a field by its name; a row's values stand in the order of the fields.
func FieldIndex(k *protocol.Kind, name string) (i int, ok bool) {
	for i := range k.Fields {
		if k.Fields[i].Name == name {
			return i, true
		}
	}
	return 0, false
}

// Value is a field of a row in the game's unit: the wire value divided by the field's scale.
func Value(k *protocol.Kind, values []int32, name string) (v float64, ok bool) {
	i, ok := FieldIndex(k, name)
	if !ok || i >= len(values) {
		return 0, false
	}
	return float64(values[i]) / float64(max(1, k.Fields[i].Scale)), true
}
