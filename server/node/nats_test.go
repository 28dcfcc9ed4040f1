package node_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"skirmish/server/api"
	"skirmish/server/node"
)

// natsEnv makes this test binary a NATS server that listens: its value is "<port> <folder>".
const natsEnv = "SKIRMISH_TEST_NATS"

// serveNATS serves until it is killed.
func serveNATS(config string) {
	port, dir, _ := strings.Cut(config, " ")
	n, _ := strconv.Atoi(port)
	s, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: n, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true, NoLog: true})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		os.Exit(1)
	}
	fmt.Println(s.ClientURL())
	select {}
}

// startNATS starts a NATS server as a process of its own and returns its URL.
func startNATS(t *testing.T, port, dir string) (url string, kill func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), natsEnv+"="+port+" "+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { cmd.Process.Kill(); cmd.Wait() }
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), kill
}

// A NATS server elsewhere keeps results and webhooks by the same code: when it is killed the node takes no new matches and
// what ends meanwhile waits for it; when it is back nothing is lost.
func TestNATSElsewhereIsKilled(t *testing.T) {
	t.Parallel()
	port, dir := freePort(t), t.TempDir()
	url, kill := startNATS(t, port, dir)
	s := newSink(t)
	r := hooked(t, func(c *node.Config) { c.NATSURL = url })
	hook := map[string]any{"url": s.URL, "secret_id": "main"}
	for _, id := range []string{"before", "meanwhile"} {
		r.create(map[string]any{"match_id": id, "game": "race", "webhook": hook})
	}
	end := func(id string) {
		r.call("DELETE", r.admin+"/v1/matches/"+id+"?mode=force", nil, http.StatusNoContent, nil)
	}
	told := func(id string) func() bool {
		return func() bool { return strings.HasSuffix(strings.Join(s.types(id), " "), "match.ended") }
	}
	end("before")
	until(t, "the first is told", told("before"))
	kill()
	end("meanwhile")
	until(t, "the node says that it cannot keep things", func() bool { return r.refused("GET", r.admin+"/readyz", nil, nil) == 503 })
	if status := r.refused("POST", r.admin+"/v1/matches", map[string]any{"game": "race"}, nil); status != 503 {
		t.Errorf("a new match without a store: %d", status)
	}
	if told("meanwhile")() {
		t.Error("told before it was kept")
	}
	startNATS(t, port, dir)
	until(t, "the second is told", told("meanwhile"))
	for _, id := range []string{"before", "meanwhile"} {
		var res api.Result
		r.call("GET", r.admin+"/v1/matches/"+id+"/result", nil, http.StatusOK, &res)
	}
	until(t, "the node is ready again", func() bool { return r.refused("GET", r.admin+"/readyz", nil, nil) == 200 })
}
