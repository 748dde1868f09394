//go:build unix

package bench

import (
	"os"
	"runtime"
	"syscall"
)

// peakRSS is the figure of wait4, in bytes.
func peakRSS(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	peak := int64(usage.Maxrss) //nolint:unconvert // int32 on some systems
	if runtime.GOOS == "darwin" {
		return peak
	}
	return peak << 10 // the others count in kilobytes
}
