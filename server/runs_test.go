package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What is not built with the race detector runs in make test all the same: without it, by name, or with all of arena.
func TestEveryTestRunsSomewhere(t *testing.T) {
	script, err := os.ReadFile("../.ci/test")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?m)^go test -run '([^']+)'`).FindSubmatch(script)
	if named == nil {
		t.Fatal(".ci/test runs no tests by name")
	}
	runs, declared := regexp.MustCompile(string(named[1])), regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	seen := 0
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || path == filepath.Join("..", "game", "arena")):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(src), "//go:build") || !strings.Contains(strings.SplitN(string(src), "\n", 2)[0], "!race") {
			return nil
		}
		for _, test := range declared.FindAllSubmatch(src, -1) {
			if seen++; !runs.Match(test[1]) {
				t.Errorf("%s: %s is nowhere in make test: .ci/test names %s", path, test[1], named[1])
			}
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Errorf("%d tests found, %v", seen, err)
	}
}
