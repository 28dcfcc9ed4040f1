// Command loadtest is the bot swarm: it creates matches through the matchmaking API, plays the arena in them with
// the arena's own bots over real sockets, and reports percentiles that can be gated on.
//
//	go run ./loadtest --bots 1000 --ramp 10s --duration 30s --threshold 'ack.p99<150ms'
//
// A loop is one thread with one epoll set and hundreds to thousands of bots. It wakes once per slot, about a
// millisecond: reads every ready socket once, then sends the inputs that are due by each bot's own input
// clock. Latencies count from the time an input was meant to be sent, arrivals from the kernel's stamps, and how late
// the loop itself was is measured and told. So a dying server cannot hide behind a tired generator, nor a tired
// generator behind itself.
package main
