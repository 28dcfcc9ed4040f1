package clients_test

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"

	"skirmish/clients"
)

func TestFSHoldsThePageAndTheSDK(t *testing.T) {
	for _, name := range []string{"index.html", "app/main.js", "style/main.css", "js/index.js"} {
		if b, err := fs.ReadFile(clients.FS(), name); err != nil || len(b) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}

func TestFSLeavesTestsAndPackagesOut(t *testing.T) {
	for _, name := range []string{"test", "package.json", "node_modules", "js/test", "js/package.json", "../embed.go", "js/../index.html"} {
		if _, err := fs.Stat(clients.FS(), name); err == nil {
			t.Errorf("%s is published", name)
		}
	}
}

// The page has no build step, so a wrong import shows only in a browser. This follows each import of each
// module, and each reference of the page, to a file that is published.
func TestEveryImportIsPublished(t *testing.T) {
	reference := regexp.MustCompile(`(?m)^(?:import|export)\b[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'|(?:src|href)="([^"#]+)"`)
	seen := map[string]bool{}
	var follow func(name string)
	follow = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		b, err := fs.ReadFile(clients.FS(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		for _, m := range reference.FindAllStringSubmatch(string(b), -1) {
			to := m[1] + m[2] + m[3]
			if strings.Contains(to, ":") {
				t.Errorf("%s refers to %s: the page must not need another host", name, to)
				continue
			}
			if strings.HasPrefix(to, "/") {
				follow(strings.TrimPrefix(path.Clean(to), "/"))
			} else {
				follow(path.Join(path.Dir(name), to))
			}
		}
	}
	follow("index.html")
	if len(seen) < 4 {
		t.Errorf("only %d files are reachable from index.html", len(seen))
	}
}

// A server that reads everything at its start finds both trees.
func TestFSCanBeWalked(t *testing.T) {
	seen := map[string]bool{}
	err := fs.WalkDir(clients.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		seen[name] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.html", "app/main.js", "js/index.js"} {
		if !seen[name] {
			t.Errorf("a walk does not come by %s", name)
		}
	}
}
