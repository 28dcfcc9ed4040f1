package node

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// systemMemory is how many bytes this process may have at most: what the machine has, or its container (cgroup 2, or 1).
func systemMemory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	most := int64(info.Totalram) * int64(info.Unit)
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && n > 0 {
			most = min(most, n)
		}
	}
	return most
}
