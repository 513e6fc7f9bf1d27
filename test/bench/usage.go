package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
)

// usage is the processor time and the memory of processes.
type usage struct {
	cpu  time.Duration
	peak uint64 // highest memory so far, in bytes
	now  uint64 // current memory, in bytes
}

// usedBy adds up the usage of processes and their children. A process id of 0 stands for no process.
func usedBy(pids ...int) (sum usage, err error) {
	for _, pid := range family(pids) {
		p, err := procfs.NewProc(pid)
		if err != nil {
			return sum, err
		}
		stat, err := p.Stat()
		if err != nil {
			return sum, err
		}
		status, err := p.NewStatus()
		if err != nil {
			return sum, err
		}
		sum.cpu += time.Duration(stat.CPUTime() * float64(time.Second))
		sum.peak += status.VmHWM
		sum.now += status.VmRSS
	}
	return sum, nil
}

// idle waits until the memory of a process stays the same for half a second, and returns the memory in bytes.
func idle(ctx context.Context, pid int) (memory uint64, err error) {
	for before := uint64(1); before != memory; {
		before = memory
		u, err := usedBy(pid)
		if err != nil {
			return 0, err
		}
		memory = u.now
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return memory, nil
}

// usedBoth returns the usage of a service's processes, and the usage of the database server.
func usedBoth(service []int, server int) (s, d usage, err error) {
	if s, err = usedBy(service...); err == nil {
		d, err = usedBy(server)
	}
	return s, d, err
}

func family(pids []int) (all []int) {
	for _, pid := range pids {
		if pid == 0 {
			continue
		}
		all = append(all, pid)
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, thread := range threads {
			children, _ := os.ReadFile(thread) // no file when the thread has ended
			for _, child := range strings.Fields(string(children)) {
				id, _ := strconv.Atoi(child)
				all = append(all, family([]int{id})...)
			}
		}
	}
	return all
}

// forgetPeak resets the peak of the processes' memory: see clear_refs in proc(5). Without permission, the
// peak since the start of the processes remains.
func forgetPeak(pids ...int) {
	for _, pid := range family(pids) {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
	}
}
