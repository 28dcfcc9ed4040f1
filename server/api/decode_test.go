package api

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzDecode: whatever the strict decoder takes, encoding/json takes as well and reads the same; whatever it
// refuses it refuses with an *Error.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"game":"arena","params":{"a":[1]},"metadata":{"k":"v"},"seed":7,"seats":[{"player_id":"a","data":null}],"open":false}`))
	f.Add([]byte(`{"capacity":{"players":4},"timeouts":{"empty_ms":0}}`))
	f.Add([]byte(`{"game":"a"}{`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > MaxBodyBytes {
			return
		}
		var strict, loose CreateRequest
		if err := decode(body, &strict); err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Status() != 400 {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if err := json.Unmarshal(body, &loose); err != nil {
			t.Fatalf("%q is taken, encoding/json says %v", body, err)
		}
		if string(loose.Params) == "null" {
			loose.Params = nil
		}
		if len(loose.Seats) == 0 { // an empty list is the same as none
			loose.Seats = nil
		}
		for i := range loose.Seats {
			if string(loose.Seats[i].Data) == "null" {
				loose.Seats[i].Data = nil
			}
		}
		a, errA := json.Marshal(&strict)
		b, errB := json.Marshal(&loose)
		if string(a) != string(b) || errA != nil || errB != nil {
			t.Fatalf("%q:\nstrict %s\nloose  %s", body, a, b)
		}
		strict.validate() // must not panic
	})
}
