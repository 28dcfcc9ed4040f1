package wsconn

import "unicode/utf8"

// utf8Stream checks a text while it arrives.
type utf8Stream struct {
	checked int // bytes at the text's beginning that are whole, valid characters
}

// whole checks a text that is all there.
func (utf8Stream) whole(text []byte) bool { return utf8.Valid(text) }

// add checks what was appended to text since the last call, except the beginning of a character at its end that
// can still become a valid one; last: nothing may be left. Every byte is looked at twice at the most.
func (u *utf8Stream) add(text []byte, last bool) bool {
	end := len(text)
	if !last {
		end = wholeCharacters(text, u.checked)
	}
	if !utf8.Valid(text[u.checked:end]) {
		return false
	}
	u.checked = end
	return true
}

// wholeCharacters is the length of text without the incomplete character at its end, if there is one behind from.
// A beginning that no further byte can make valid counts as complete: utf8.FullRune says so.
func wholeCharacters(text []byte, from int) int {
	for i := len(text) - 1; i >= max(from, len(text)-utf8.UTFMax+1); i-- {
		if utf8.RuneStart(text[i]) {
			if utf8.FullRune(text[i:]) {
				break
			}
			return i
		}
	}
	return len(text)
}
