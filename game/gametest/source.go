package gametest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// banned packages, with what to use instead. Everything below them is banned as well.
var banned = map[string]string{
	"os": "a game does no I/O", "net": "a game does no I/O", "syscall": "a game does no I/O", "io/ioutil": "a game does no I/O",
	"database/sql": "a game does no I/O", "plugin": "a game does no I/O", "log": "a game does no I/O: emit an event",
	"math/rand": "use Tick.Rand, or game.NewRand in New", "crypto/rand": "use Tick.Rand, or game.NewRand in New",
	"hash/maphash": "its seed differs from run to run", "runtime": "a game starts and asks nothing of the machine",
}

// clock is what a game must not use of package time. Durations are fine.
var clock = map[string]bool{"Now": true, "Since": true, "Until": true, "After": true, "AfterFunc": true, "Sleep": true,
	"Tick": true, "NewTimer": true, "NewTicker": true}

// source: the game's own package starts no goroutine and reaches for no clock and no I/O. Files of a package
// main that only start the node are not the game's.
func (s *suite) source() error {
	t := reflect.TypeOf(s.newGame())
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	fset := token.NewFileSet()
	files, err := parseDir(fset, s.o.Dir)
	if err != nil {
		return err
	}
	home := false
	var faults []string
	for _, f := range files {
		defines := declares(f.ast, t.Name())
		home = home || defines
		if f.test && !defines || startsNode(f.ast) {
			continue
		}
		faults = append(faults, inspect(fset, f.ast)...)
	}
	if !home {
		return fmt.Errorf("no file in %q declares the game's type %s: set Options.Dir to its source", s.o.Dir, t.Name())
	}
	if len(faults) > 0 {
		return fmt.Errorf("%s", strings.Join(faults, "\n"))
	}
	return nil
}

type sourceFile struct {
	ast  *ast.File
	test bool
}

func parseDir(fset *token.FileSet, dir string) ([]sourceFile, error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []sourceFile
	for _, n := range names {
		if n.IsDir() || !strings.HasSuffix(n.Name(), ".go") {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(dir, n.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, sourceFile{ast: f, test: strings.HasSuffix(n.Name(), "_test.go")})
	}
	return files, nil
}

func declares(f *ast.File, name string) bool {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok && t.Name.Name == name {
				return true
			}
		}
	}
	return false
}

// startsNode: the file is the main that serves the game, which may do as it likes.
func startsNode(f *ast.File) bool {
	for _, i := range f.Imports {
		if path, _ := strconv.Unquote(i.Path.Value); path == "skirmish/server/node" {
			return true
		}
	}
	return false
}

func inspect(fset *token.FileSet, f *ast.File) (faults []string) {
	timeName := ""
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		if path == "time" {
			timeName = "time"
			if i.Name != nil {
				timeName = i.Name.Name
			}
		}
		if why := ban(path); why != "" {
			faults = append(faults, fmt.Sprintf("%s: import of %s: %s", fset.Position(i.Pos()), path, why))
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			faults = append(faults, fmt.Sprintf("%s: a go statement: a match runs on one goroutine", fset.Position(n.Pos())))
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && timeName != "" && x.Name == timeName && clock[n.Sel.Name] {
				faults = append(faults, fmt.Sprintf("%s: time.%s: a match knows ticks, not the clock: use Tick.Now and Tick.Rate",
					fset.Position(n.Pos()), n.Sel.Name))
			}
		}
		return true
	})
	return faults
}

// ban is why a game must not import path, "" if it may.
func ban(path string) string {
	for p, why := range banned {
		if path == p || strings.HasPrefix(path, p+"/") {
			return why
		}
	}
	return ""
}
