package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// site serves the web client from memory. Files never change while the process runs; browsers ask each time
// and are mostly told that nothing has changed.
type site struct{ pages map[string]*page } // by URL path

type page struct {
	contentType string
	etag        string
	body        []byte
}

// securityPolicy lets our page run its own scripts and styles and connect to a game server, and nothing else.
const securityPolicy = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// contentTypes does without the system's own list, which differs from machine to machine.
var contentTypes = map[string]string{
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".mjs":         "text/javascript; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".webmanifest": "application/manifest+json",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".jpg":         "image/jpeg",
	".webp":        "image/webp",
	".ico":         "image/x-icon",
	".woff2":       "font/woff2",
	".mp3":         "audio/mpeg",
	".ogg":         "audio/ogg",
	".wasm":        "application/wasm",
	".md":          "text/plain; charset=utf-8",
	".ts":          "text/plain; charset=utf-8",
	".txt":         "text/plain; charset=utf-8",
}

// newSite reads all files. index.html stands for its folder as well.
func newSite(files fs.FS) (*site, error) {
	s := &site{pages: make(map[string]*page)}
	if files == nil {
		return s, nil
	}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		p := &page{contentType: contentTypes[path.Ext(name)], etag: `"` + hex.EncodeToString(sum[:12]) + `"`, body: body}
		if p.contentType == "" {
			p.contentType = "application/octet-stream"
		}
		s.pages["/"+name] = p
		if folder, ok := strings.CutSuffix("/"+name, "/index.html"); ok {
			s.pages[folder+"/"] = p
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("api: read the web client: %w", err)
	}
	return s, nil
}

// ServeHTTP serves GET and HEAD.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", securityPolicy)
	h.Set("Referrer-Policy", "no-referrer") // the address names a match
	h.Set("Cache-Control", "no-cache")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		plainText(w, http.StatusMethodNotAllowed, "This page can only be read: use GET.")
		return
	}
	p := s.pages[r.URL.Path]
	switch {
	case p != nil:
		h.Set("Content-Type", p.contentType)
		h.Set("ETag", p.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.body))
	case s.pages[r.URL.Path+"/"] != nil:
		h.Set("Location", r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]+"/")
		plainText(w, http.StatusMovedPermanently, "This page is a folder.")
	case r.URL.Path == "/" && len(s.pages) == 0:
		plainText(w, http.StatusNotFound, "This server has no web client; players connect by WebSocket at /play.")
	default:
		plainText(w, http.StatusNotFound, "There is no page at "+shown(r.URL.Path)+"; the game is at /.")
	}
}

func plainText(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, sentence)
}
