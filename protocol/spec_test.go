package protocol_test

import (
	"encoding/hex"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	. "skirmish/protocol"
)

func readSpec(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exportedConstants are the exported integer constants of the files that need no import to check.
func exportedConstants(t *testing.T) map[string]int64 {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range []string{"codes.go", "limits.go", "messages.go", "plan.go"} {
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	pkg, err := new(types.Config).Check("protocol", fset, files, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int64{}
	for _, name := range pkg.Scope().Names() {
		if c, is := pkg.Scope().Lookup(name).(*types.Const); is && c.Exported() && c.Val().Kind() == constant.Int {
			found[name], _ = constant.Int64Val(c.Val())
		}
	}
	return found
}

var constantRow = regexp.MustCompile("(?m)^\\| `([A-Z]\\w+)` \\| (\\w+) \\|(.*)$")

func TestSpecHasTheConstants(t *testing.T) {
	want, seen := exportedConstants(t), map[string]bool{}
	if len(want) < 60 {
		t.Fatalf("only %d constants found", len(want))
	}
	for _, m := range constantRow.FindAllStringSubmatch(readSpec(t), -1) {
		name := m[1]
		value, err := strconv.ParseInt(m[2], 0, 64)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if w, is := want[name]; !is || w != value {
			t.Errorf("SPEC.md says %s = %d, the package %d (%v)", name, value, w, is)
		}
		if seen[name] {
			t.Errorf("%s stands twice in SPEC.md", name)
		}
		seen[name] = true
		if strings.HasPrefix(name, "Close") {
			again := strings.HasPrefix(m[3], " yes |")
			if again != CloseCode(value).Retry() {
				t.Errorf("%s: again %v in SPEC.md, %v in the package", name, again, !again)
			}
		}
	}
	for name := range want {
		if !seen[name] {
			t.Errorf("SPEC.md lacks %s", name)
		}
	}
	if !strings.Contains(readSpec(t), "`"+Subprotocol+"`") {
		t.Errorf("SPEC.md lacks %s", Subprotocol)
	}
}

func TestSpecNamesTheMessages(t *testing.T) {
	seen := 0
	for _, m := range regexp.MustCompile(`(?m)^\| (0x2\d|[1-6]) \| (\w+) \|`).FindAllStringSubmatch(readSpec(t), -1) {
		v, err := strconv.ParseUint(m[1], 0, 8)
		if err != nil || Type(v).String() != m[2] {
			continue // another table: numbered elements
		}
		seen++
	}
	if seen != 16 {
		t.Errorf("%d messages in the tables of SPEC.md, not 16", seen)
	}
	for _, m := range regexp.MustCompile(`(?m)^### (\w+) \((0x\d\d|\d)\)(?: and (\w+) \((0x\d\d)\))?$`).FindAllStringSubmatch(readSpec(t), -1) {
		for i := 1; i < 5 && m[i] != ""; i += 2 {
			if v, err := strconv.ParseUint(m[i+1], 0, 8); err != nil || Type(v).String() != m[i] {
				t.Errorf("the heading of %s says %s", m[i], m[i+1])
			}
		}
	}
}

var exampleBlock = regexp.MustCompile("(?s)\\(vector `([^`]+)`\\)[^\n]*\n\n((?:    [^\n]+\n)+)")

func TestSpecExamplesAreVectors(t *testing.T) {
	byName := map[string]string{}
	g := readGolden(t)
	for _, v := range g.Messages {
		byName[v.Name] = hex.EncodeToString(v.Bytes)
	}
	examples := exampleBlock.FindAllStringSubmatch(readSpec(t), -1)
	if len(examples) < 14 {
		t.Fatalf("only %d examples", len(examples))
	}
	for _, m := range examples {
		if got := strings.Join(strings.Fields(m[2]), ""); got != byName[m[1]] {
			t.Errorf("example %s:\n%s, not\n%s", m[1], got, byName[m[1]])
		}
	}
}

// TestSpecWorkedExample holds the dissected states of section 7 to the vectors: the plain dump, then the
// same bytes line by line.
func TestSpecWorkedExample(t *testing.T) {
	_, section, _ := strings.Cut(readSpec(t), "### Worked example\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var dumps []string
	for block := range strings.SplitSeq(section, "\n\n") {
		if !strings.HasPrefix(block, "    ") {
			continue
		}
		var dump strings.Builder
		for line := range strings.SplitSeq(block, "\n") {
			dump.WriteString(regexp.MustCompile(`^ +((?:[0-9a-f]{2}(?: |$))+)`).FindString(line))
		}
		dumps = append(dumps, strings.Join(strings.Fields(dump.String()), ""))
	}
	steps := readGolden(t).Sequences[0].Steps
	if len(dumps) != 4 {
		t.Fatalf("%d dumps", len(dumps))
	}
	for i, d := range dumps {
		if want := hex.EncodeToString(steps[1+i/2].Bytes); d != want {
			t.Errorf("dump %d:\n%s, not\n%s", i, d, want)
		}
	}
}
