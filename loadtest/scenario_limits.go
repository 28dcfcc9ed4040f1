package main

import "time"

// Bounds of scenarios, and what they leave unsaid.
const (
	maxScenarioBytes = 1 << 20
	maxFaults        = 8 // told of one file
	maxStages        = 100
	maxLivesPerStay  = 10_000
	maxFloodRate     = 100_000
	maxDelay         = 10 * time.Second
	minSession       = time.Second

	defaultQueue     = 64 << 10 // bytes before a bottleneck
	defaultSlowRate  = 2000     // bytes per second, a third of what an arena sends at 20 Hz
	defaultFloodRate = 2000     // inputs per second
	defaultOffence   = 2 * time.Second
	offencePause     = time.Second      // until the next player takes an offender's place
	churnSpread      = time.Second      // over which a churn's players leave
	offenceLimit     = 10 * time.Second // within which a server has to end an offender
	slowReceiveBytes = 4096             // of a slow reader's socket

	maxRows    = 3600 // of a series
	maxWorkers = 64
)

const (
	maxReportBytes = 256 << 20
	leastSeconds   = 5   // of each run, to compare them
	maxPoints      = 600 // of a curve in the page

	capacityStep    = 16              // players: one match
	capacityJoins   = 1000            // per second, while a search's run begins
	capacityAround  = 8 * time.Second // that a run takes beside what it measures
	capacitySettle  = time.Second     // from the end of its ramp until it measures
	capacityShort   = 4               // tenths of --measure that a run takes which only finds the way
	capacityFull    = 0.93            // of the server's core, where it is first thought to give way
	capacityTired   = 0.97            // of the generator's core: what fails beyond is not laid to the server
	capacityForeign = 0.03            // of both cores, used by something else: more spoils the figures
)

const (
	workerCommand = "worker"
	workerDelay   = time.Second // from the start of the processes to the first connection
)
