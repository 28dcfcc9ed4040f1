package webhook_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"skirmish/server/webhook"
)

// The vector that Standard Webhooks publishes with its libraries.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestPublishedVector(t *testing.T) {
	s, err := webhook.ParseSecrets("main:" + vectorSecret)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := s.Sign("main", vectorID, time.Unix(vectorTime, 0), []byte(vectorBody))
	if !ok || got != vectorSignature {
		t.Errorf("got  %s\nwant %s", got, vectorSignature)
	}
}

func TestSecretsRotateSideBySide(t *testing.T) {
	s, err := webhook.ParseSecrets(" main:" + vectorSecret + ", main:whsec_" + strings.Repeat("QUJD", 10) + ",other:" + vectorSecret)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := s.Sign("main", vectorID, time.Unix(vectorTime, 0), []byte(vectorBody))
	if parts := strings.Split(got, " "); len(parts) != 2 || parts[0] != vectorSignature || !strings.HasPrefix(parts[1], "v1,") {
		t.Errorf("signatures %q", got)
	}
	if _, ok := s.Sign("nobody", vectorID, time.Unix(0, 0), nil); ok || s.Has("nobody") || fmt.Sprint(s.IDs()) != "[main other]" {
		t.Errorf("ids %v", s.IDs())
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	s, _ := webhook.ParseSecrets("main:" + vectorSecret)
	type holder struct{ Hidden webhook.Secrets }
	raw := strings.TrimPrefix(vectorSecret, "whsec_")
	for _, v := range []any{s, &s, holder{s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, raw) || strings.Contains(text, "31f290f6") {
				t.Errorf("%s shows %s", verb, text)
			}
		}
	}
	for _, text := range []string{vectorSecret, "main:" + raw, "main:whsec_!" + raw, "main:whsec_QUJD", ":" + vectorSecret, "main:whsec_" + strings.Repeat("QUJD", 22)} {
		_, err := webhook.ParseSecrets(text)
		if err == nil || strings.Contains(err.Error(), raw) || strings.Contains(err.Error(), "QUJD") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestURLs(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://hooks.example.net/skirmish?x=1": true, "http://127.0.0.1:9000/": true,
		"": false, "example.net/x": false, "//example.net": false, "file:///etc/passwd": false, "ftp://example.net": false, "unix:///run/x": false,
		"gopher://x": false, "https://": false, "https://:443/": false, "https://user:secret@example.net/": false, "https://example.net/#x": false,
		"https://example.net/" + strings.Repeat("x", 2048): false, "http://[::1": false,
	} {
		if err := webhook.CheckURL(url); (err == nil) != ok {
			t.Errorf("%.40q: %v", url, err)
		}
	}
}

func TestTargetsChooseTheirEvents(t *testing.T) {
	for _, c := range []struct {
		events []string
		kind   string
		wants  bool
	}{
		{nil, "match.ended", true}, {[]string{"match.ended"}, "match.ended", true}, {[]string{"match.ended"}, "match.created", false},
		{[]string{"seat.*"}, "seat.lost", true}, {[]string{"seat.*"}, "match.ended", false}, {[]string{"*"}, "node.ready", true},
	} {
		if got := (&webhook.Target{URL: "http://x", Events: c.events}).Wants(c.kind); got != c.wants {
			t.Errorf("%v wants %s: %v", c.events, c.kind, got)
		}
	}
	for text, ok := range map[string]bool{"*": true, "seat.*": true, "match.ended": true, "seats.*": false, "": false, "match.done": false, ".*": false, "sea*": false} {
		if webhook.ValidType(text) != ok {
			t.Errorf("%q", text)
		}
	}
}
