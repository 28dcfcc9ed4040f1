package api

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// downloadTimeout is how long a caller may take over a recording or a film.
const downloadTimeout = 5 * time.Minute

// replay sends the recording of a match.
func (a *admin) replay(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	d, err := a.Matches.Replay(id)
	if err != nil {
		return err
	}
	defer d.Close()
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadTimeout))
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="`+d.Name+`"`)
	http.ServeContent(w, r, "", d.Time, d)
	return nil
}

// replayLink makes a link for whoever the caller hands it to.
func (a *admin) replayLink(w http.ResponseWriter, r *http.Request) error {
	id, err := matchID(r)
	if err != nil {
		return err
	}
	return a.change(w, r, func(_ context.Context, body []byte, _ func(answer) error) (answer, error) {
		var req linkRequest
		if err := decodeValid(body, &req); err != nil {
			return answer{}, err
		}
		link, err := a.Matches.ReplayLink(id, milliseconds(req.TTLMS))
		if err != nil {
			return answer{}, err
		}
		return encode(http.StatusCreated, link)
	})
}

// film sends what a spectator of a recorded match has seen, for the web client.
func (a *admin) film(w http.ResponseWriter, r *http.Request) error {
	return sendFilm(a.Matches, w, r, r.PathValue("id"))
}

// film is that of the game port, for developers.
func (p *public) film(w http.ResponseWriter, r *http.Request) error {
	if err := p.quick(r); err != nil {
		return err
	}
	return sendFilm(p.Matches, w, r, r.PathValue("id"))
}

// linkedFilm is that of the game port, for whoever has a link.
func (p *public) linkedFilm(w http.ResponseWriter, r *http.Request) error {
	if err := p.throttle(r); err != nil {
		return err
	}
	id, err := p.Matches.ReplayOf(r.PathValue("token"))
	if err != nil {
		return err
	}
	return sendFilm(p.Matches, w, r, id)
}

// replays tells which matches can be watched again, for developers.
func (p *public) replays(w http.ResponseWriter, r *http.Request) error {
	if err := p.quick(r); err != nil {
		return err
	}
	list := p.Matches.Replays()
	if list == nil {
		list = []ReplayInfo{}
	}
	return respond(w, r, map[string]any{"replays": list})
}

func sendFilm(m Matches, w http.ResponseWriter, r *http.Request, id string) error {
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadTimeout))
	f := &filmWriter{w: w, r: r}
	if err := m.Film(r.Context(), id, f); err != nil {
		if f.out == nil {
			return err
		}
		panic(http.ErrAbortHandler) // the caller must see that it is not whole
	}
	return f.close()
}

// filmWriter begins the answer with its first byte, compressed for who takes that.
type filmWriter struct {
	w   http.ResponseWriter
	r   *http.Request
	out io.Writer
	zip *gzip.Writer
}

func (f *filmWriter) Write(b []byte) (int, error) {
	if f.out == nil {
		f.out = f.w
		f.w.Header().Set("Content-Type", "application/octet-stream")
		f.w.Header().Set("Cache-Control", "no-store")
		f.w.Header().Set("Vary", "Accept-Encoding")
		if strings.Contains(f.r.Header.Get("Accept-Encoding"), "gzip") {
			f.w.Header().Set("Content-Encoding", "gzip")
			f.zip = gzip.NewWriter(f.w)
			f.out = f.zip
		}
	}
	return f.out.Write(b)
}

func (f *filmWriter) close() error {
	if f.zip != nil {
		return f.zip.Close()
	}
	return nil
}
