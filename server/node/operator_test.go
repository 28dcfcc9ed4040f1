package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/server/api"
)

// operatorEnv makes this test binary the server itself, with its command line.
const operatorEnv = "SKIRMISH_TEST_OPERATOR"

// leaveAtOnce keeps the race detector, if there is one, from waiting for a second at the end of each process.
const leaveAtOnce = "GORACE=atexit_sleep_ms=0"

// command is a run of the server's command line as a process.
func command(t *testing.T, environment []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{operatorEnv + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, leaveAtOnce}, environment...)
	return cmd
}

// keyFile is a file of keys that a test writes.
type keyFile struct {
	t    *testing.T
	name string
}

func newKeyFile(t *testing.T, lines ...string) keyFile {
	k := keyFile{t, filepath.Join(t.TempDir(), "keys")}
	k.write(lines...)
	return k
}

func (k keyFile) write(lines ...string) {
	k.t.Helper()
	if err := os.WriteFile(k.name, []byte("# comment, not a key\n"+strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// serving starts the server and waits until it says where it serves; log is what it says from its start on.
func serving(t *testing.T, environment []string, args ...string) (r *running, cmd *exec.Cmd, log *lockedText) {
	t.Helper()
	log = &lockedText{}
	cmd = command(t, environment, append(args, "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0")...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	var said struct{ Message, Game, Admin string }
	until(t, "it serves", func() bool {
		for line := range strings.SplitSeq(log.String(), "\n") {
			if json.Unmarshal([]byte(line), &said) == nil && said.Message == "serving" {
				return true
			}
		}
		return false
	})
	return &running{t: t, admin: "http://" + said.Admin, game: "http://" + said.Game, play: "ws://" + said.Game + "/play"}, cmd, log
}

// Whatever happens and however much is logged: no key, no secret and no ticket stands in the log, in whole or in the part
// that counts.
func TestSecretsAreNeverLogged(t *testing.T) {
	t.Parallel()
	adminKey, wrongKey := strings.Repeat("adm1n-", 6), strings.Repeat("wr0ng-", 6)
	ticketSecret := strings.Repeat("5ec7e7", 11)[:64]
	environment := []string{"SKIRMISH_ADMIN_KEY=" + adminKey, "SKIRMISH_TICKET_KEY=k1:" + ticketSecret, "SKIRMISH_WEBHOOK_SECRETS=main:" + hookSecret}
	s := newSink(t)
	gone := newSink(t)
	gone.verdict = func() int { return http.StatusGone }
	r, cmd, log := serving(t, environment, "--log-level", "trace", "--webhook-url", gone.URL, "--webhook-secret-id", "main")
	secrets := []string{adminKey, wrongKey, ticketSecret, hookSecret, strings.TrimPrefix(hookSecret, "whsec_")}
	ask := func(method, path, key, body string) (int, []byte) {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), method, r.admin+path, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", method+path+key[:5])
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var out bytes.Buffer
		out.ReadFrom(res.Body)
		return res.StatusCode, out.Bytes()
	}
	if status, _ := ask("GET", "/v1/node", wrongKey, ""); status != http.StatusUnauthorized {
		t.Errorf("a wrong key: %d", status)
	}
	ask("GET", "/v1/nothing?key="+adminKey, adminKey, "")
	ask("POST", "/v1/matches", adminKey, `{"game":"race","webhook":{"url":"http://127.0.0.1:1/","secret_id":"`+adminKey+`"}}`)
	status, out := ask("POST", "/v1/matches", adminKey, `{"match_id":"m","game":"race","params":{"length":3},"seats":[{"player_id":"ann"},{"player_id":"bob"}],
		"webhook":{"url":"`+s.URL+`","secret_id":"main"}}`)
	var made api.Created
	if status == http.StatusBadRequest { // the key has had its first answer
		t.Fatalf("%d %s", status, out)
	}
	if err := json.Unmarshal(out, &made); err != nil || len(made.Seats) != 2 {
		t.Fatalf("%d %s", status, out)
	}
	for _, seat := range made.Seats {
		secrets = append(secrets, seat.Token, seat.Token[strings.LastIndexByte(seat.Token, '.')+1:])
	}
	ann := r.dial(made.Seats[0].Token, client.Options{})
	ann.SendFields(map[string]float64{"push": 1})
	resume := ann.Resumption() // behind the input, whose number must not be another's
	secrets = append(secrets, resume.Token)
	again, err := client.Dial(t.Context(), r.play, client.Options{Token: made.Seats[0].Token}) // used up
	if err == nil {
		again.Close()
		t.Error("a ticket was good twice")
	}
	if _, err := client.Dial(t.Context(), r.play, client.Options{Token: made.Seats[1].Token + "x"}); err == nil {
		t.Error("a spoilt ticket is good")
	}
	ann.Close()
	if back, err := client.Dial(t.Context(), r.play, client.Options{Resume: resume}); err != nil {
		t.Error(err)
	} else {
		back.SendFields(map[string]float64{"push": 2}) // the game panics
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if back.Wait(ctx); ctx.Err() != nil {
			t.Error("the game's panic does not end the connection")
		}
	}
	until(t, "both sinks were told", func() bool {
		return strings.Contains(strings.Join(s.types("m"), " "), "match.failed") && strings.Contains(log.String(), "it is a dead letter now")
	})
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	text := log.String()
	if !strings.Contains(text, `"level":"debug"`) && !strings.Contains(text, `"level":"trace"`) && !strings.Contains(text, "match failed") {
		t.Errorf("nothing was logged: %s", text)
	}
	for _, secret := range secrets {
		if secret == "" {
			t.Error("a secret of the test is empty")
		} else if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("the log shows a secret: %.300s", text[max(0, at-200):])
		}
	}
}

// The commands as an operator types them, each in a process of its own: what is wrong is one sentence and exit 2, what did not
// work is one and exit 1.
func TestCommandsOfAnOperator(t *testing.T) {
	t.Parallel()
	file := newKeyFile(t, strings.Repeat("k", 40))
	r, _, _ := serving(t, []string{"SKIRMISH_ADMIN_KEYS_FILE=" + file.name})
	environment := []string{"SKIRMISH_ADMIN_KEYS_FILE=" + file.name, "SKIRMISH_API=" + r.admin, "SKIRMISH_TICKET_KEY=k1:" + strings.Repeat("ab", 32)}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"version", 0, "skirmish "},
		{"node", 0, "0 waiting, 0 running"},
		{"node --json", 0, `"state": "ready"`},
		{"matches ls", 0, "MATCH"},
		{"matches ls --json", 0, "[]"},
		{"matches inspect nobody", 1, `There is no match "nobody" on this node.`},
		{"matches end nobody", 1, `There is no match "nobody" on this node.`},
		{"matches", 2, "matches needs a command"},
		{"matches ls --state dead", 1, "state must be"},
		{"webhooks ls", 0, "ERROR"},
		{"webhooks ls --json", 0, "[]"},
		{"webhooks redeliver --all --json", 0, `"redelivered": 0`},
		{"ticket mint --match m --player ann", 0, "mt1.k1."},
		{"ticket mint --match m --player ann --json", 0, `"token": "mt1.k1.`},
		{"ticket check nonsense", 1, "ticket: "},
		{"config print", 0, "environment SKIRMISH_ADMIN_KEYS_FILE"},
		{"config print --json", 0, `"source": "environment SKIRMISH_ADMIN_KEYS_FILE"`},
		{"config check", 0, "in order"},
		{"config check --json", 0, `"ok": true`},
		{"config check --max-connections 0 --json", 2, `"faults": [`},
		{"config check --admin-addr :7351 --admin-keys-file nowhere", 2, "--admin-keys-file: "},
		{"completion bash", 0, "complete"},
		{"node --api http://127.0.0.1:1", 1, "no node answers at http://127.0.0.1:1"},
		{"node drain --deadline soon", 2, "--deadline"},
		{"version --json", 0, `"version": `},
	} {
		out, err := command(t, environment, strings.Fields(c.args)...).CombinedOutput()
		code := 0
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != c.code || !strings.Contains(string(out), c.says) || strings.Contains(string(out), "kkkk") || strings.Contains(string(out), "abab") {
			t.Errorf("%s: exit %d, want %d with %q:\n%s", c.args, code, c.code, c.says, out)
		}
	}
}
