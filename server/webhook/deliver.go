package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"skirmish/server/journal"
)

// errGone says that a sink has answered 410: it wants nothing any more.
var errGone = errors.New("the sink answered 410 Gone")

// newClient makes a client that follows no redirect: a signed event goes where its owner has said and nowhere else.
func newClient(cfg Config) *http.Client {
	transport := cfg.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxResponseHeaderBytes = MaxHeaderBytes
		t.MaxIdleConnsPerHost = cfg.PerSink
		t.MaxConnsPerHost = cfg.PerSink
		t.ResponseHeaderTimeout = cfg.Timeout
		transport = t
	}
	return &http.Client{
		Transport: transport, Timeout: cfg.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// deliver sends one record of the queue and takes it off when the sink has it.
func (d *Dispatcher) deliver(ctx context.Context, seq uint64) error {
	r, err := d.queue.Read(ctx, seq)
	if errors.Is(err, journal.ErrNotFound) {
		return nil // taken off already, by somebody else's hand
	}
	if err != nil {
		return err
	}
	var del Delivery
	if err := json.Unmarshal(r.Data, &del); err != nil {
		return fmt.Errorf("decode a delivery: %w", err)
	}
	if err := d.post(ctx, &del); err != nil {
		return err
	}
	if err := d.queue.Delete(ctx, seq); err != nil {
		d.log.Warn().Err(err).Str("event", del.ID).Msg("a delivered webhook could not be taken off the queue: a restart delivers it again")
	}
	return nil
}

// post sends one request. Any answer but 2xx is an error.
func (d *Dispatcher) post(ctx context.Context, del *Delivery) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, del.URL, bytes.NewReader(del.Body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	now := time.Now()
	signature, ok := d.secrets().Sign(del.SecretID, del.ID, now, del.Body)
	if !ok {
		return fmt.Errorf("there is no webhook secret %q any more", del.SecretID)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "skirmish")
	req.Header.Set("webhook-id", del.ID)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("webhook-signature", signature)
	res, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, MaxResponseBytes)) // so that the connection can be used again
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return nil
	case res.StatusCode == http.StatusGone:
		return errGone
	}
	return fmt.Errorf("the sink answered %d", res.StatusCode)
}

// bury moves a record to the dead letters.
func (d *Dispatcher) bury(ctx context.Context, seq uint64, tries int, why error) error {
	r, err := d.queue.Read(ctx, seq)
	if errors.Is(err, journal.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var del Delivery
	if err := json.Unmarshal(r.Data, &del); err != nil {
		return fmt.Errorf("decode a delivery: %w", err)
	}
	del.Dead, del.Tries, del.Error = time.Now().UTC(), tries, clip(why.Error(), maxErrorBytes)
	body, err := json.Marshal(&del)
	if err != nil {
		return fmt.Errorf("encode a dead letter: %w", err)
	}
	if _, err := d.dead.Append(ctx, del.Lane, r.ID, body); err != nil {
		return err
	}
	d.log.Error().Err(why).Str("event", del.ID).Str("type", del.Type).Int("tries", tries).Msg("webhook given up: it is a dead letter now")
	return d.queue.Delete(ctx, seq)
}

// DeadLetters lists up to limit deliveries that were given up, oldest first, from the cursor on; next is empty after the last.
func (d *Dispatcher) DeadLetters(ctx context.Context, cursor uint64, limit int) (letters []Delivery, next uint64, err error) {
	records, err := d.dead.List(ctx, cursor, limit+1)
	if err != nil {
		return nil, 0, err
	}
	for i, r := range records {
		if i == limit {
			return letters, r.Seq, nil
		}
		var del Delivery
		if err := json.Unmarshal(r.Data, &del); err != nil {
			return nil, 0, fmt.Errorf("decode a dead letter: %w", err)
		}
		letters = append(letters, del)
	}
	return letters, 0, nil
}

// ErrNoLetter says that there is no dead letter of that id.
var ErrNoLetter = errors.New("webhook: there is no such dead letter")

// Redeliver puts a dead letter back into the queue, for another Config.Age. An empty id means all of them. It returns how many.
func (d *Dispatcher) Redeliver(ctx context.Context, id string) (n int, err error) {
	const batch = 256
	for from := uint64(1); ; {
		records, err := d.dead.List(ctx, from, batch)
		if err != nil {
			return n, err
		}
		for _, r := range records {
			from = r.Seq + 1
			var del Delivery
			if err := json.Unmarshal(r.Data, &del); err != nil {
				return n, fmt.Errorf("decode a dead letter: %w", err)
			}
			if id != "" && del.ID != id {
				continue
			}
			now := time.Now().UTC()
			del.Dead, del.Tries, del.Error, del.Queued = time.Time{}, 0, "", now
			// A record id of its own: the queue remembers the first one's.
			if err := d.enqueue(ctx, &del, fmt.Sprintf("%s~%d", del.ID, now.UnixNano())); err != nil {
				return n, err
			}
			if err := d.dead.Delete(ctx, r.Seq); err != nil {
				return n, err
			}
			n++
		}
		if len(records) < batch {
			break
		}
	}
	if id != "" && n == 0 {
		return 0, ErrNoLetter
	}
	return n, nil
}

// clip shortens s to at most n bytes at the border of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
