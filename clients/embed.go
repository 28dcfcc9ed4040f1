// Package clients carries the browser's files inside the server's binary: the playable arena and the
// JavaScript SDK it is written with, both as they stand in the tree, without a build step.
package clients

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed web/index.html web/app web/style
var web embed.FS

//go:embed js/src
var sdk embed.FS

// FS is the web client as a server publishes it: index.html at the root, the SDK's modules below js/.
// Tests are left out. The files never change while the program runs; safe from any goroutine.
func FS() fs.FS {
	return site{page: below(web, "web"), sdk: below(sdk, "js/src")}
}

// site puts two trees together by the first element of a path.
type site struct {
	page, sdk fs.FS
}

func (s site) Open(name string) (fs.File, error) {
	if name == "js" {
		return s.sdk.Open(".")
	}
	if rest, ok := strings.CutPrefix(name, "js/"); ok {
		return s.sdk.Open(rest)
	}
	return s.page.Open(name)
}

// ReadDir lists both trees at the root, so that walking the whole finds every file.
func (s site) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "js" {
		return fs.ReadDir(s.sdk, ".")
	}
	if rest, ok := strings.CutPrefix(name, "js/"); ok {
		return fs.ReadDir(s.sdk, rest)
	}
	entries, err := fs.ReadDir(s.page, name)
	if name != "." || err != nil {
		return entries, err
	}
	folder, err := sdk.ReadDir(".") // js, the only entry
	return append(entries, folder...), err
}

// below panics on a wrong folder: the folders are constants of this file.
func below(f fs.FS, folder string) fs.FS {
	sub, err := fs.Sub(f, folder)
	if err != nil {
		panic(err)
	}
	return sub
}
