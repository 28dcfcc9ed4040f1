package node_test

import (
	"fmt"
	"net/http"
	"testing"

	"skirmish/server/api"
	"skirmish/server/node"
)

// A key that is repeated to the next process gets the first answer where what it tells of is there; a match that did not
// outlive the process is made anew, once.
func TestIdempotencyKeysOutliveTheNode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	same := func(c *node.Config) { c.DataDir = dir }
	ask := func(r *running, key string) (status int, replayed bool, out []byte) {
		t.Helper()
		status, replayed, out, err := post(t.Context(), http.DefaultClient, r.admin+"/v1/matches", key, map[string]any{"game": "flash", "start": map[string]any{"when": "now"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return status, replayed, out
	}
	r := serve(t, same, flash{})
	first := map[string]string{}
	for i := range 300 { // more than a page of what is kept
		status, _, out := ask(r, fmt.Sprint("k", i))
		if status != http.StatusCreated {
			t.Fatalf("%d %s", status, out)
		}
		first[fmt.Sprint("k", i)] = string(out)
	}
	r.stop()
	r = serve(t, same, flash{})
	for key, want := range first {
		if status, replayed, out := ask(r, key); status != http.StatusOK || !replayed || string(out) != want {
			t.Errorf("%s: %d %s, first %s", key, status, out, want)
		}
	}
	var page struct{ Matches []api.Match }
	r.call("GET", r.admin+"/v1/matches", nil, http.StatusOK, &page)
	if len(page.Matches) != 0 {
		t.Errorf("%d matches were made by repeats", len(page.Matches))
	}
}
