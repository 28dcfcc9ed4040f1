//go:build unix

package node_test

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"skirmish/server/api"
	"skirmish/server/node"
	"skirmish/server/webhook"
)

// Admin keys change while the node runs, one after the other as their users do; and the file is read at once when it is said so.
func TestAdminKeysChange(t *testing.T) {
	old, young := strings.Repeat("old#", 8), strings.Repeat("young", 8)
	file := newKeyFile(t, old)
	r := serve(t, func(c *node.Config) { c.AdminKeysFile = file.name })
	opens := func(key string) bool {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", r.admin+"/v1/node", nil)
		req.Header.Set("Authorization", "Bearer "+key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("%d", res.StatusCode)
		}
		return res.StatusCode == http.StatusOK
	}
	if !opens(old) || opens(young) || opens("") {
		t.Fatal("the file's key is not the one that opens")
	}
	file.write(old, young)
	until(t, "both keys open", func() bool { return opens(young) && opens(old) })
	file.write(young)
	syscall.Kill(os.Getpid(), syscall.SIGHUP)
	until(t, "the old key is void", func() bool { return opens(young) && !opens(old) })
}

// Webhook secrets change while the node runs: two sign side by side, then the new one alone.
func TestWebhookSecretsChange(t *testing.T) {
	const young = "main:whsec_bmV3IHNlY3JldCBvZiB0d2VudHktZm91ciBieXRlcw=="
	s := newSink(t)
	file := newKeyFile(t, "main:"+hookSecret)
	r := hooked(t, func(c *node.Config) { c.WebhookSecrets, c.WebhookSecretsFile = webhook.Secrets{}, file.name })
	tell := func() {
		made := r.create(map[string]any{"game": "race", "webhook": map[string]any{"url": s.URL, "secret_id": "main", "events": []string{"match.ended"}}})
		r.call("DELETE", r.admin+"/v1/matches/"+made.Match.MatchID+"?mode=force", nil, http.StatusNoContent, nil)
	}
	tell()
	until(t, "the first webhook", func() bool { return len(s.events()) == 1 })
	ids := func() int {
		var info api.NodeInfo
		r.call("GET", r.admin+"/v1/node", nil, http.StatusOK, &info)
		return len(info.Webhooks.Secrets)
	}
	file.write("main:"+hookSecret, young, "other:"+hookSecret)
	until(t, "the file is read", func() bool { return ids() == 2 })
	tell()
	until(t, "a webhook with two signatures", func() bool { return len(s.events()) == 2 && s.signatures() == 2 })
	file.write("other:" + hookSecret)
	until(t, "the file is read", func() bool { return ids() == 1 })
	if status := r.refused("POST", r.admin+"/v1/matches", map[string]any{"game": "race", "webhook": map[string]any{"url": s.URL, "secret_id": "main"}}, nil); status != 400 {
		t.Errorf("a secret that is gone: %d", status)
	}
}
