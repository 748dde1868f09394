package ui

import (
	"os"
	"strconv"
	"syscall"
	"testing"
	"unsafe"
)

func TestSystemOnATerminal(t *testing.T) {
	for name, tc := range map[string]struct {
		env        []string
		color, bar bool
	}{
		"plain":           {nil, true, true},
		"NO_COLOR":        {[]string{"NO_COLOR=1"}, false, true},
		"NO_COLOR, empty": {[]string{"NO_COLOR="}, true, true},
		"dumb":            {[]string{"TERM=dumb"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			tty := terminal(t, 100)
			s := System(tty, tty, tty, env(tc.env...))
			if !s.InTTY || !s.OutTTY || s.ErrTTY != tc.bar || s.Color != tc.color || s.ErrColor != tc.color {
				t.Errorf("%+v", s)
			}
			if s.Width != 100 || s.ErrWidth != 100 {
				t.Errorf("width %d, %d", s.Width, s.ErrWidth)
			}
			s.NoColor()
			if s.OutStyle().Color || s.ErrStyle().Color {
				t.Error("still in colour")
			}
		})
	}
	if got := columns(terminal(t, 0)); got != defaultWidth {
		t.Errorf("a terminal without a width has %d columns", got)
	}
}

// terminal opens a pseudo-terminal of a width, by the system calls of Linux.
func terminal(t *testing.T, width int) *os.File {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = control.Close() })
	ioctl := func(request uintptr, arg unsafe.Pointer) {
		t.Helper()
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, control.Fd(), request, uintptr(arg)); errno != 0 {
			t.Skipf("not a Linux pseudo-terminal: %v", errno)
		}
	}
	var number, unlock int32
	ioctl(0x80045430, unsafe.Pointer(&number)) // TIOCGPTN
	ioctl(0x40045431, unsafe.Pointer(&unlock)) // TIOCSPTLCK
	if width > 0 {
		size := [4]uint16{24, uint16(width)}
		ioctl(syscall.TIOCSWINSZ, unsafe.Pointer(&size)) // TIOCSWINSZ
	}
	tty, err := os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return tty
}
